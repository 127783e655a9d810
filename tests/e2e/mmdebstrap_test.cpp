/// mmdebstrap's command line on a tiny archive: its grammar, and what of the host shows in the image.

#include <sys/utsname.h>

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
  EXPECT_EQ(failure_of(place(), line_of({"--format=squashfs", "tiny", "-", "MIRROR"}), 2),
            "debroot: error: a squashfs cannot be written to standard output\n"
            "  try: -o FILE\n");
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "/", "MIRROR"}), 2),
            "debroot: error: '/' is the root of this system, not an output\n");
}

TEST_P(AsMmdebstrap, SaysWhatIsWrongAsDebrootDoes) {
  EXPECT_EQ(failure_of(place(), line_of({"tiny", "x.tar", "nowhere"}), 2),
            "debroot: error: 'nowhere' is no mirror\n"
            "  expected: a URI, a 'deb …' line, the name of a sources file, or '-' for standard input\n");
  EXPECT_EQ(failure_of(place(), line_of({"--c", "main", "tiny"}), 2),
            "debroot: error: option '--c' is ambiguous\n"
            "  expected: one of --components, --customize-hook, --chrooted-extract-hook, --chrooted-essential-hook, "
            "--chrooted-customize-hook\n");
}

}  // namespace
}  // namespace debroot::e2e
