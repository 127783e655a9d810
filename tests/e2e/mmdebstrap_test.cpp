/// mmdebstrap's command line on a tiny archive: its grammar, and what of the host shows in the image.

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct AsMmdebstrap : WorldAs {
  /// `arguments` behind the key of the archive; MIRROR stands for its URL.
  Command line_of(std::vector<std::string> arguments) {
    for (std::string &word : arguments) {
      std::size_t at = word.find("MIRROR");
      if (at != std::string::npos) word.replace(at, 6, server().url());
    }
    Command line = build_command(place(), {});  // writes the key
    arguments.insert(arguments.begin(), {"mmdebstrap", "--quiet", "--KEYR=" + scratch("key.asc")});
    arguments.insert(arguments.begin(), line.argv[0]);
    line.argv = std::move(arguments);
    return line;
  }
  Image made(const Command &line) {
    Finished finished = finish(place(), line);
    EXPECT_EQ(finished.status, 0) << finished.err;
    return read_tar(bytes_of(place().out("x.tar")));
  }
};
DEBROOT_AS_BOTH(AsMmdebstrap);

TEST_P(AsMmdebstrap, LetsTheHostShow) {
  add(package("probe").script("postinst", "#!/bin/sh\n{ env; uname -n; cat /etc/resolv.conf; } >/result\n"));
  Command line = line_of({"--var=essential", "--inc", "probe", "tiny", "x.tar", "MIRROR"});
  line.environment["TOKEN"] = "secret";
  Image tree = made(line);
  utsname host{};
  ::uname(&host);
  EXPECT_THAT(tree["/result"].content, testing::HasSubstr("TOKEN=secret\n"));
  EXPECT_THAT(tree["/result"].content, testing::HasSubstr("PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
  EXPECT_THAT(tree["/result"].content, testing::Not(testing::HasSubstr("TMPDIR=")));
  EXPECT_THAT(tree["/result"].content, testing::HasSubstr(std::string("\n") + host.nodename + "\n"));
  EXPECT_THAT(tree["/result"].content, testing::EndsWith(bytes_of("/etc/resolv.conf")));
  EXPECT_EQ(tree["/etc/resolv.conf"].content, bytes_of("/etc/resolv.conf"));
  EXPECT_EQ(tree["/etc/hostname"].content, bytes_of("/etc/hostname"));
  EXPECT_FALSE(tree.contains("/etc/apt/apt.conf.d/00mmdebstrap"));
}

TEST_P(AsMmdebstrap, WritesSourcesAndOptionsAsTheyAreGiven) {
  Image tree = made(line_of({"tiny", "x.tar", "deb MIRROR tiny main", "MIRROR", "--apto=A \"b\"", "--dpkgopt",
                             "no-pager", "--variant=essential", "--skip=cleanup/mmdebstrap"}));
  EXPECT_EQ(tree["/etc/apt/sources.list"].content,
            "deb " + server().url() + " tiny main\n\ndeb " + server().url() + " tiny main\n");
  EXPECT_EQ(tree["/etc/apt/apt.conf.d/99mmdebstrap"].content, "A \"b\";\n");
  EXPECT_EQ(tree["/etc/dpkg/dpkg.cfg.d/99mmdebstrap"].content, "no-pager\n");
  EXPECT_EQ(tree["/etc/apt/apt.conf.d/00mmdebstrap"].content,
            "Apt::Install-Recommends false;\nAcquire::Languages \"none\";\n");
}

TEST_P(AsMmdebstrap, TheNameOfALinkIsEnough) {
  Command line = line_of({"--variant=essential", "tiny", "x.tar", "MIRROR"});
  std::filesystem::create_symlink(line.argv[0], scratch("mmdebstrap"));
  line.argv[0] = scratch("mmdebstrap");
  line.argv.erase(line.argv.begin() + 1);
  EXPECT_TRUE(made(line).contains("/etc/fstab"));
}

TEST_P(AsMmdebstrap, TakesItsFormats) {
  for (const auto &[name, magic] : std::vector<std::pair<std::string, std::string>>{
           {"x.sqfs", "hsqs"}, {"x.tar.lz", "LZIP"}, {"x.tar.bz2", "BZh9"}}) {
    Finished finished = finish(place(), line_of({"--variant=essential", "tiny", name, "MIRROR"}));
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(bytes_of(place().out(name)).substr(0, 4), magic);
  }
  Finished finished = finish(place(), line_of({"--variant=essential", "--format=ext4", "tiny", "image", "MIRROR"}));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(bytes_of(place().out("image")).substr(0x438, 2), "\x53\xef");
}

TEST_P(AsMmdebstrap, RefusesPlacesAndFormatsThatDoNotGoTogether) {
  EXPECT_EQ(failure_of(place(), line_of({"--format=squashfs", "tiny", "-", "MIRROR"}), 1),
            "E: a squashfs cannot be written to standard output\n"
            "  try: -o FILE\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "/", "MIRROR"}), 1),
            "E: '/' is the root of this system, not an output\n");
}

TEST_P(AsMmdebstrap, SaysWhatIsWrongInOneLine) {
  constexpr const char *kUsage = "Usage:\n    mmdebstrap [OPTION...] [SUITE [TARGET [MIRROR...]]]\n\n";
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "x.tar", "nowhere"}), 1),
            "E: 'nowhere' is no mirror\n"
            "  expected: a URI, a 'deb …' line, the name of a sources file, or '-' for standard input\n");
  EXPECT_EQ(failure_of(place(), line_of({"", "x.tar", "MIRROR"}), 1),
            "E: cannot use mirror 'MIRROR' without a suite\n");
  EXPECT_EQ(failure_of(place(), line_of({"", "x.tar"}), 1), "E: the mirrors given name no archive to install from\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "x.tar", "MIRROR", "--variant=frob"}), 1).substr(0, 26),
            "E: unknown variant 'frob'\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "/", "MIRROR"}), 1),
            "E: '/' is the root of this system, not an output\n");
  EXPECT_EQ(failure_of(place(), line_of({"--c", "main", "tiny"}), 2),
            "E: option '--c' is ambiguous\n"
            "  expected: one of --components, --customize-hook, --chrooted-extract-hook, --chrooted-essential-hook, "
            "--chrooted-customize-hook\n" +
                std::string(kUsage));
  EXPECT_EQ(failure_of(place(), line_of({"--frob", "tiny"}), 2),
            "E: unknown option '--frob'\n  try: debroot mmdebstrap --help lists the options\n" + std::string(kUsage));
  EXPECT_EQ(failure_of(place(), line_of({"--include=", "tiny"}), 2),
            "E: option '--include' needs a value\n" + std::string(kUsage));
  EXPECT_EQ(failure_of(place(), line_of({"--keyring=no.gpg", "tiny"}), 2),
            "E: keyring 'no.gpg' does not exist\n" + std::string(kUsage));
  EXPECT_EQ(failure_of(place(), line_of({"--hook-dir=nowhere", "tiny"}), 2),
            "E: hook directory 'nowhere' does not exist\n" + std::string(kUsage));
  EXPECT_EQ(failure_of(place(), line_of({"--include=./no.deb", "tiny"}), 2),
            "E: cannot include './no.deb': No such file or directory\n" + std::string(kUsage));
}

TEST_P(AsMmdebstrap, LogsWhatScriptsLookFor) {
  Command line = line_of({"--variant=custom", "--include=hello", "--merged-usr", "--customize-hook", "echo said",
                          "tiny", "x.tar", "MIRROR"});
  std::erase(line.argv, "--quiet");
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0);
  std::string log = normal(finished.err);
  for (const char *text :
       {"I: the option --merged-usr is a no-op. It only exists for compatibility with some debootstrap wrappers.\n",
        "I: automatically chosen mode: ", "I: chroot architecture ARCH is equal to the host's architecture\n",
        "I: automatically chosen format: tar\n", "I: running apt-get update...\n",
        "I: downloading packages with apt...\n", "I: extracting archives...\n", "I: installing essential packages...\n",
        "\nsaid\n", "I: cleaning package lists and apt cache...\n",
        "I: creating tarball...\nI: done\nI: success in "}) {
    EXPECT_THAT(log, testing::HasSubstr(text));
  }
  EXPECT_THAT(log, testing::ContainsRegex("I: success in [0-9]+\\.[0-9]{4} seconds\n$"));
}

TEST_P(AsMmdebstrap, QuietLetsOnlyHooksSpeak) {
  Finished finished = finish(place(), line_of({"--variant=custom", "--include=hello", "--customize-hook", "echo said",
                                               "tiny", "x.tar", "MIRROR"}));
  EXPECT_EQ(finished.err, "said\n");
}

TEST_P(AsMmdebstrap, DryRunMakesNothing) {
  Command line = line_of(
      {"--variant=custom", "--include=hello", "--dry-run", "--customize-hook=touch made", "tiny", "x.tar", "MIRROR"});
  std::erase(line.argv, "--quiet");
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(names_in(place().out()), testing::IsEmpty());
  EXPECT_THAT(finished.err, testing::HasSubstr("W: In dry-run mode, --customize-hook options have no effect\n"));
  EXPECT_THAT(finished.err, testing::HasSubstr("I: not overwriting "));
  EXPECT_THAT(finished.err, testing::HasSubstr("I: simulate downloading packages with apt...\nI: success in "));
}

TEST_P(AsMmdebstrap, LogFileTakesAllOfIt) {
  std::string log = place().home() + "/log";
  EXPECT_EQ(finish(place(), line_of({"--logfile=" + log, "tiny", "x.tar", "nowhere"})).err, "");
  EXPECT_THAT(bytes_of(log), testing::StartsWith("E: 'nowhere' is no mirror\n"));
}

TEST_P(AsMmdebstrap, TellsTheVersionItStandsFor) {
  Finished finished = finish(place(), line_of({"--vers"}));
  EXPECT_EQ(finished.out, "mmdebstrap 1.5.7\n");
  EXPECT_EQ(finished.err, "");
}

TEST_P(AsMmdebstrap, TakesSourcesOfEveryKind) {
  put_file(scratch("corp.list"), "deb " + server().url() + " tiny main\n");
  put_file(scratch("plain"), "Types: deb\nURIs: " + server().url() + "\nSuites: tiny\nComponents: main\n");
  put_file(scratch("empty"), "");
  Image tree = made(line_of({"--variant=custom", "--include=hello", "tiny", "x.tar", "MIRROR", "", scratch("corp.list"),
                             scratch("plain"), scratch("empty"), "MIRROR", "deb MIRROR tiny main"}));
  std::string line = "deb " + server().url() + " tiny main\n";
  EXPECT_EQ(tree["/etc/apt/sources.list"].content, line);
  EXPECT_EQ(tree["/etc/apt/sources.list.d/0001corp.list"].content, line);
  EXPECT_EQ(tree["/etc/apt/sources.list.d/0002plain.sources"].content, bytes_of(scratch("plain")));
  EXPECT_EQ(tree["/etc/apt/sources.list.d/0003main.list"].content, line + "\n" + line);
}

TEST_P(AsMmdebstrap, TakesSourcesFromStandardInput) {
  put_file(scratch("input"), "deb " + server().url() + " tiny main\n");
  Command line = line_of({"--variant=custom", "--include=hello", "", "x.tar", "-"});
  line.in_the_child = [path = scratch("input")] { ::dup2(::open(path.c_str(), O_RDONLY), 0); };
  Image tree = made(line);
  EXPECT_EQ(tree["/etc/apt/sources.list"].content, "deb " + server().url() + " tiny main\n");
  EXPECT_TRUE(tree.contains("/usr/share/hello/greeting"));
  line = line_of({"--variant=custom", "--include=hello"});
  line.in_the_child = [path = scratch("input")] { ::dup2(::open(path.c_str(), O_RDONLY), 0); };
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(read_tar(finished.out).contains("/usr/share/hello/greeting")) << "no SUITE, no TARGET";
}

TEST_P(AsMmdebstrap, CtrlCIsOneLineToo) {
  add(package("sleepy").script("postinst", "#!/bin/sh\necho asleep\nsleep 600\n"));
  Command line = line_of({"--variant=essential", "--include=sleepy", "-v", "tiny", "x.tar", "MIRROR"});
  Process process(line);
  EXPECT_TRUE(wait_until([&] { return process.err_so_far().find("asleep") != std::string::npos; }, 20'000));
  process.signal(SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_THAT(finished.err, testing::EndsWith("E: the build was interrupted\n"));
  expect_nothing_left(place());
}

}  // namespace
}  // namespace debroot::e2e
