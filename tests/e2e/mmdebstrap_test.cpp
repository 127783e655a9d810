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
  EXPECT_THAT(tree["/result"].content, testing::Not(testing::HasSubstr("SOURCE_DATE_EPOCH=")));
  line.environment["SOURCE_DATE_EPOCH"] = "1577836800";
  EXPECT_THAT(made(line)["/result"].content, testing::HasSubstr("SOURCE_DATE_EPOCH=1577836800\n"));
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
  EXPECT_EQ(failure_of(place(), line_of({"--format=squashfs", "tiny", "-", "MIRROR"}), 25),
            "E: a squashfs cannot be written to standard output\n"
            "  try: -o FILE\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "/", "MIRROR"}), 25),
            "E: '/' is the root of this system, not an output\n");
}

TEST_P(AsMmdebstrap, SaysWhatIsWrongInOneLine) {
  constexpr const char *kUsage = "Usage:\n    mmdebstrap [OPTION...] [SUITE [TARGET [MIRROR...]]]\n\n";
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "x.tar", "nowhere"}), 25),
            "E: 'nowhere' is no mirror\n"
            "  expected: a URI, a 'deb …' line, the name of a sources file, or '-' for standard input\n");
  EXPECT_EQ(failure_of(place(), line_of({"", "x.tar", "MIRROR"}), 25),
            "E: cannot use mirror 'MIRROR' without a suite\n");
  EXPECT_EQ(failure_of(place(), line_of({"", "x.tar"}), 25), "E: the mirrors given name no archive to install from\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "x.tar", "MIRROR", "--variant=frob"}), 25).substr(0, 26),
            "E: unknown variant 'frob'\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "/", "MIRROR"}), 25),
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
        "I: running --customize-hook in shell: sh -c 'echo said' exec ", "\nsaid\n",
        "I: cleaning package lists and apt cache...\n", "I: creating tarball...\nI: done\nI: removing tempdir "}) {
    EXPECT_THAT(log, testing::HasSubstr(text));
  }
  EXPECT_THAT(log, testing::ContainsRegex("I: success in [0-9]+\\.[0-9]{4} seconds\n$"));
}

TEST_P(AsMmdebstrap, QuietLetsOnlyHooksSpeak) {
  Finished finished = finish(place(), line_of({"--variant=custom", "--include=hello", "--customize-hook", "echo said",
                                               "tiny", "x.tar", "MIRROR"}));
  EXPECT_EQ(finished.err, "said\n");
}

TEST_P(AsMmdebstrap, HooksHaveItsStandardErrorForTheirOutput) {
  // as it is, without a line's end, and in its place among the lines of the log
  Command line =
      line_of({"--variant=custom", "--setup-hook=printf 'no end'; printf '\\033[1m' >&2", "--setup-hook=true",
               "--chrooted-customize-hook=true", "--include=hello,shell", "tiny", "x.tar", "MIRROR"});
  std::erase(line.argv, "--quiet");
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, testing::HasSubstr("no end\033[1mI: running --setup-hook directly: true /"));
  EXPECT_THAT(finished.err, testing::HasSubstr("I: running --chrooted-customize-hook in shell: sh -c 'true'\n"));
}

TEST_P(AsMmdebstrap, HooksFindWhatItsAptWouldHaveLeft) {
  // root makes devices in the tree from the beginning
  Finished finished = finish(
      place(),
      line_of({"--variant=essential", "--include=hello", "--setup-hook=ls \"$1\"/dev 2>/dev/null | wc -l",
               "--customize-hook=ls \"$1\"/dev | wc -l; ls \"$1\"/var/cache/apt/archives", "tiny", "x.tar", "MIRROR"}));
  std::string first = GetParam() == As::root ? "14\n" : "0\n";
  EXPECT_EQ(finished.err, first + "14\nhello_1.0_" + architecture() + ".deb\nlock\npartial\n");
}

TEST_P(AsMmdebstrap, HooksFindTheTreeUnderANameLikeItsOwn) {
  Command line =
      line_of({"--variant=custom", "--include=hello",
               "--setup-hook=expr \"$1\" : \"$PLACE/mmdebstrap[.][0-9A-Za-z]\\{10\\}$\" "
               ">/dev/null && touch \"$1\"/first; echo \"$1\" >\"$1\"/name",
               "--customize-hook=test \"$1\" = \"$(cat \"$1\"/name)\" && touch \"$1\"/last && rm \"$1\"/name",
               "--customize-hook=copy-in /etc/debian_version /", "tiny", "x.tar", "MIRROR"});
  line.environment["PLACE"] = place().tmp();
  Image tree = made(line);
  EXPECT_TRUE(tree.contains("/first") && tree.contains("/last") && tree.contains("/debian_version"));
  expect_nothing_left(place(), {"x.tar"});
}

TEST_P(AsMmdebstrap, NeedsNoHomeForItsCache) {
  Command line = line_of({"--variant=custom", "--include=hello", "tiny", "x.tar", "MIRROR"});
  line.environment["XDG_CACHE_HOME"] = "/proc/nowhere";
  EXPECT_TRUE(made(line).contains("/usr/share/hello/greeting"));
}

TEST_P(AsMmdebstrap, FakechrootIsUnshare) {
  Command line = line_of({"--mode=fakechroot", "--variant=custom", "--include=hello",
                          "--customize-hook=echo $MMDEBSTRAP_MODE", "tiny", "x.tar", "MIRROR"});
  std::erase(line.argv, "--quiet");
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.err, testing::HasSubstr("W: mode fakechroot is not offered: using mode unshare"));
  EXPECT_THAT(finished.err, testing::HasSubstr("\nunshare\n"));
}

TEST_P(AsMmdebstrap, DryRunLeavesTheSkeletonInADirectory) {
  Command line = line_of({"--variant=essential", "--dry-run", "--setup-hook=touch \"$1\"/x", "tiny", "tree", "MIRROR"});
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0) << finished.err;
  Image tree = read_directory(place().out("tree"));
  for (const char *path : {"/etc/apt/sources.list", "/etc/fstab", "/var/lib/dpkg/arch", "/var/lib/dpkg/status"}) {
    EXPECT_TRUE(tree.contains(path)) << path;
  }
  for (const char *path : {"/bin", "/x", "/var/cache/apt/archives"}) EXPECT_FALSE(tree.contains(path)) << path;
}

TEST_P(AsMmdebstrap, HelpsToWorkOnDirectoriesThatItMade) {
  auto helper = [&](std::vector<std::string> words) {
    Command line = build_command(place(), {});
    words.insert(words.begin(), {line.argv[0], "mmdebstrap", "--unshare-helper"});
    line.argv = std::move(words);
    return finish(place(), line);
  };
  EXPECT_EQ(finish(place(), line_of({"--variant=essential", "tiny", "tree", "MIRROR"})).status, 0);
  Finished finished =
      helper({"chroot", "tree", "/bin/sh", "-c", "id -u; echo $$; test $$ -lt 10; cat /etc/fstab >/dev/null"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, testing::StartsWith("0\n"));
  finished = helper({"sh", "-c", "exit 7"});
  EXPECT_EQ(finished.status, 25);
  EXPECT_EQ(finished.err, "E: unshared command failed\n");
  finished = helper({"/no/such/program"});
  EXPECT_EQ(finished.status, 25);
  EXPECT_EQ(finished.err, "E: cannot run '/no/such/program': no such file or directory\nE: unshared command failed\n");
  EXPECT_EQ(helper({}).err, "E: '--unshare-helper' needs a command\n");
  EXPECT_EQ(helper({"rm", "-r", "tree"}).status, 0);
  EXPECT_FALSE(std::filesystem::exists(place().out("tree")));
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

TEST_P(AsMmdebstrap, ADirectoryThatAptHasMadeIsNotThePackages) {
  std::string partial = "var/cache/apt/archives/partial";
  add(package("like-apt").directory(partial, {.mtime = 1'000'000'000}));
  Image tree = made(line_of({"--variant=essential", "--include=like-apt", "tiny", "x.tar", "MIRROR"}));
  EXPECT_GT(tree["/" + partial].mtime, kReleaseDate) << "when it was made, not what the package says";
}

TEST_P(AsMmdebstrap, CtrlCIsOneLineToo) {
  add(package("sleepy").script("postinst", "#!/bin/sh\necho asleep\nsleep 600\n"));
  Command line = line_of({"--variant=essential", "--include=sleepy", "-v", "tiny", "x.tar", "MIRROR"});
  Process process(line);
  EXPECT_TRUE(wait_until([&] { return process.err_so_far().find("asleep") != std::string::npos; }, 20'000));
  process.signal(SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 25);
  EXPECT_THAT(finished.err, testing::EndsWith("E: the build was interrupted\n"));
  expect_nothing_left(place());
}

}  // namespace
}  // namespace debroot::e2e
