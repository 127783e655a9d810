#include "cli/help.hpp"

#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cli/option_table.hpp"

namespace debroot::cli {
namespace {

// The whole texts, so that a change of a word is seen in review.
constexpr std::string_view kBuildHelp = R"(Usage: debroot build SUITE [options]

Makes a root filesystem of SUITE (bookworm, trixie, sid, noble, ...): fetches
and verifies the packages, installs them, and writes the image. Needs neither
root nor a Debian host. The same inputs give the same bytes.

Image:
  -a, --arch ARCH[,FOREIGN...]
                              architecture of the image, then those that dpkg
                              shall also accept; default: this host's
  -o, --output PATH           where the image goes, in the format that the
                              suffix says: .tar, .tar.gz, .tar.xz, .tar.zst (or
                              .bz2, .lz, .lz4, .lzma, .Z), .squashfs, .ext2,
                              .ext4, .oci, else a directory; /dev/null, or - for
                              standard output; default ./SUITE-ARCH.tar. Repeat
                              it for several outputs of one build
      --format FORMAT         tar, directory, squashfs, ext2, ext4, oci or null,
                              whatever the suffix of the outputs; default: auto
      --variant NAME          package set: extract, custom, essential, apt,
                              required (or minbase), buildd, important (the
                              default) or standard
      --include LIST          more packages: names, name=version, name/suite,
                              name:arch, patterns, or a .deb file given as a
                              path
      --exclude LIST          packages that must not be installed; an error
                              names who needs them
      --hostname NAME         write a host name; default: a machine takes the
                              name that it is imported under
      --network WORD          networkd (the default), ifupdown (DHCP on host0)
                              or none
      --plain                 no dbus, no network set-up: just the variant and
                              what --include names

Sources:
  -m, --mirror SOURCE         a URI, a 'deb ...' line, a sources file, or - for
                              standard input; repeatable; default: the suite's
                              own archive with -updates and -security
      --components LIST       components of URIs and of the default archive;
                              default: main
      --keyring PATH          public keys, a file or a directory of files, that
                              sign the archives; repeatable
      --cache DIR             where downloads and base states are kept; default
                              $XDG_CACHE_HOME/debroot
      --no-cache              keep nothing, and use nothing that is kept
      --offline               never use the network, only the cache

Customisation:
      --setup-hook COMMAND    run COMMAND while the root is empty
      --extract-hook COMMAND  run COMMAND when the essential packages are
                              unpacked
      --essential-hook COMMAND
                              run COMMAND when the essential packages are
                              configured
      --customize-hook COMMAND
                              run COMMAND when everything is installed. Hooks
                              run on the host, with the root's path as $1
      --hook-directory DIR    every executable in DIR whose name begins with a
                              stage, as a hook of that stage
      --aptopt OPTION|FILE    a line, or a file of lines, for apt's
                              configuration in the image
      --dpkgopt OPTION|FILE   the same for dpkg's, path-exclude= included
      --skip STAGE[,STAGE...]
                              leave out steps, named as mmdebstrap names them

Running:
      --mode WORD             auto (the default), root, unshare (a user
                              namespace), or chrootless (maintainer scripts run
                              outside of the image)
      --script-network        let maintainer scripts use the network
      --foreign-exec WORD     for another architecture: native (the default),
                              with this host's own builds of the tools that
                              maintainer scripts call, or emulate
      --stand-ins WORD        yes (the default): small programs of debroot's do
                              what known tools would do that maintainer scripts
                              call; or no
      --jobs N                worker threads; default: the CPUs that this
                              process may use
      --simulate              fetch indexes and show what would be installed,
                              make nothing

Messages:
      --progress STYLE        auto (the default), tty, plain, json (one object a
                              line) or none
      --timings FILE          print where the time went, and write it to FILE as
                              a trace that the viewers of Chrome and Perfetto
                              open
      --logfile FILE          write messages to FILE instead of standard error
  -q, --quiet                 say nothing but errors
  -v, --verbose               show what maintainer scripts write
  -d, --debug                 show also every package as it is worked on
  -h, --help                  show this help

Examples:
  debroot build bookworm                          # ./bookworm-amd64.tar
  debroot build bullseye --arch arm64 -o out.tar
  debroot build trixie --variant minbase --include curl -o rootfs/
  debroot build noble -m http://mirror.example.org/ubuntu -o noble.tar.zst
  debroot build bookworm -o - | sudo machinectl import-tar - bookworm

Enter the machine:
  machinectl import-tar bookworm-amd64.tar bookworm
  machinectl start bookworm
  machinectl shell bookworm

Exit status: 0 done, 1 the build failed, 2 the command line is wrong,
130 interrupted. Nothing but the image goes to standard output.
)";

constexpr std::string_view kDiffHelp = R"(Usage: debroot diff A B

Compares two images entry by entry: type, mode, owner, link, device, time,
extended attributes and content. Each is a tar, compressed or not, or a
directory. Exit status: 0 they are equal, 1 they differ, 2 they could not be
compared.

Options:
      --ignore PATTERN        leave out paths such as /dev or '*.pyc', with all
                              below them; repeatable
      --ignore-mtime          do not compare modification times
      --ignore-owner          do not compare owners
      --ignore-xattrs         do not compare extended attributes
      --ignore-order          do not compare the order of a tar's entries
  -h, --help                  show this help

Example:
  debroot diff yesterday.tar today.tar.zst
)";

constexpr std::string_view kDoctorHelp = R"(Usage: debroot doctor

Checks whether this host lets debroot work: user namespaces, subordinate ids,
emulators, keyrings, disk space; and says how to mend what is missing. Exit
status: 0 builds will work, 1 something has to be mended.

Options:
  -h, --help                  show this help
)";

TEST(Help, OfBuild) { EXPECT_EQ(help_text(Command::build), kBuildHelp); }
TEST(Help, OfDiff) { EXPECT_EQ(help_text(Command::diff), kDiffHelp); }
constexpr std::string_view kCacheHelp = R"(Usage: debroot cache list
       debroot cache prune [options]

Shows what the cache holds, or removes of it what was not used for 30 days; with
options, what these say instead. Builds may run meanwhile. A base state is a
tree with all packages configured, from which a build of the same inputs goes on
with its customisation.

Options:
      --cache DIR             the cache; default $XDG_CACHE_HOME/debroot
      --max-size SIZE         prune: remove what was used least recently until
                              so much is left, such as 500M or 4G
      --max-age DAYS          prune: remove what was not used for so many days
      --all                   prune: remove everything
  -h, --help                  show this help

Examples:
  debroot cache prune --max-size 2G
  debroot cache prune --all
)";
TEST(Help, OfCache) { EXPECT_EQ(help_text(Command::cache), kCacheHelp); }

TEST(Help, OfDoctor) { EXPECT_EQ(help_text(Command::doctor), kDoctorHelp); }

TEST(Help, OfPlanHasTheOptionsOfBuildBehindItsOwn) {
  std::string text = help_text(Command::plan);
  EXPECT_THAT(text, ::testing::StartsWith(R"(Usage: debroot plan SUITE [options]

Prints what 'debroot build' with the same options would install, in install
order, and why. Fetches the indexes, changes nothing.

Result:
      --json                  print one JSON object instead of a table

Image:
)"));
  std::string_view build = kBuildHelp;
  std::string_view options = build.substr(build.find("\nImage:"), build.find("\nExamples:") - build.find("\nImage:"));
  EXPECT_THAT(text, ::testing::HasSubstr(std::string(options)));
  EXPECT_THAT(text, ::testing::EndsWith(R"(
Examples:
  debroot plan bookworm --include nginx
  debroot plan sid --arch riscv64 --json | jq -r '.packages[].name'
)"));
}

TEST(Help, OfMmdebstrapHasItsNamesAndNoOthers) {
  std::string text = help_text(Command::mmdebstrap);
  for (const char *name : {"      --architectures ", "      --aptopt ", "  -q, --quiet ", "      --hook-directory "}) {
    EXPECT_THAT(text, ::testing::HasSubstr(name));
  }
  for (const char *name : {"--arch ", "-a,", "--output", "--mirror", "--jobs", "--plain", "--merged-usr"}) {
    EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr(name)));
  }
}

TEST(Help, OfDebrootItself) {
  EXPECT_EQ(main_help_text(), R"(Usage: debroot COMMAND [arguments]

Builds Debian and Ubuntu root filesystems, for machines started by machinectl
and systemd-nspawn and for anything else that wants a tree or a tar.

Commands:
  build SUITE   make an image
  plan SUITE    print what build would install
  diff A B      compare two images
  doctor        check this host
  cache list    show what the cache holds; 'cache prune' removes of it
  mmdebstrap    take mmdebstrap's command line and make its image

Options:
  -h, --help    show this help; 'debroot COMMAND --help' shows a command's own
      --version show the version

Examples:
  debroot build bookworm -o bookworm.tar
  debroot build bookworm -o - | sudo machinectl import-tar - bookworm
)");
}

TEST(Help, FitsEightyColumns) {
  for (Command command :
       {Command::build, Command::plan, Command::diff, Command::doctor, Command::cache, Command::mmdebstrap}) {
    std::string text = help_text(command);
    for (std::string_view line : base::split(text, '\n')) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST(Version, NamesLibraries) {
  EXPECT_THAT(version_text({"libarchive 3.6.2"}),
              ::testing::MatchesRegex("debroot [0-9.]+\nlibraries: fmt [0-9.]+, CLI11 [0-9.]+, nlohmann-json [0-9.]+, "
                                      "libarchive 3.6.2\n"));
}

}  // namespace
}  // namespace debroot::cli
