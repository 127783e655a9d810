/// The whole of what a user reads when a build fails before anything is installed.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

const std::vector<std::string> kSmall = {"-o", "x.tar", "--variant", "custom", "--include", "hello"};

struct Failures : World {
  /// The smallest build, with further options.
  std::vector<std::string> small(const std::vector<std::string> &more) {
    std::vector<std::string> out = kSmall;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  /// A build of which the test gives every option.
  std::string failure_of_line(const std::vector<std::string> &arguments, int status) {
    return failure_of(here(), command(here(), arguments), status);
  }
  std::string hello_path() { return "/" + test::ArchiveBuilder::pool_path("main", package("hello")); }
};

TEST_F(Failures, PackageThatDoesNotExist) {
  EXPECT_EQ(failure({"-o", "x.tar", "--include", "helo"}, 2),
            "debroot: error: cannot find package 'helo'\n"
            "  try: did you mean 'hello'?\n");
}

TEST_F(Failures, PackageThatCannotBeInstalled) {
  add(package("needy").depends("hello (>= 2.0)"));
  EXPECT_EQ(failure({"-o", "x.tar", "--include", "needy"}),
            "debroot: error: cannot satisfy the requested packages\n"
            "  needy_1.0_ARCH is requested\n"
            "  └─ needy_1.0_ARCH needs hello (>= 2.0)\n"
            "     └─ hello_1.0_ARCH is too old (tiny/main)\n");
}

TEST_F(Failures, SuiteThatTheMirrorLacks) {
  static_cast<void>(server());
  EXPECT_EQ(failure_of_line({"build", "other", "--quiet", "--mirror", server().url()}, 1),
            "debroot: error: cannot find suite 'other' at 'MIRROR': it has neither InRelease nor Release\n"
            "  from: MIRROR/dists/other/InRelease\n"
            "  try: --mirror with an archive that has the suite\n");
}

TEST_F(Failures, SuiteThatNobodyKnows) {
  EXPECT_EQ(failure_of_line({"build", "bokworm", "--quiet"}, 2),
            "debroot: error: unknown suite 'bokworm'\n"
            "  try: did you mean 'bookworm'? or give the archive with --mirror\n");
}

TEST_F(Failures, ArchitectureThatNobodyKnows) {
  EXPECT_EQ(failure_of_line({"build", "bookworm", "--quiet", "--arch", "amd46"}, 2),
            "debroot: error: unknown architecture 'amd46'\n"
            "  try: did you mean 'ARCH'?\n");
}

TEST_F(Failures, ArchitectureThatTheSuiteLacks) {
  EXPECT_EQ(failure({"-o", "x.tar", "--arch", architecture() == "s390x" ? "amd64" : "s390x", "--variant", "extract",
                     "--include", "hello"}),

            "debroot: error: suite 'MIRROR tiny' has no architecture 's390x'\n"
            "  expected: one of ARCH, all\n");
}

TEST_F(Failures, OptionsThatContradictEachOther) {
  EXPECT_EQ(failure(small({"--plain", "--hostname", "box"}), 2),
            "debroot: error: '--plain' and '--hostname' contradict each other\n");
  EXPECT_EQ(failure(small({"--offline", "--no-cache"}), 2),
            "debroot: error: '--offline' and '--no-cache' contradict each other: offline builds take everything from "
            "the cache\n");
  EXPECT_EQ(failure(small({"--exclude", "hello"}), 2),
            "debroot: error: package 'hello' is both in '--include' and in '--exclude'\n");
  EXPECT_EQ(failure(small({"-o", "x.tar"}), 2), "debroot: error: output 'x.tar' is given twice\n");
  EXPECT_EQ(failure(small({"-o", "a", "-o", "b"}), 2),
            "debroot: error: only one output can be a directory: the tree is built in it\n");
  EXPECT_EQ(failure({"-o", "x.tar", "--variant", "extract", "--include", "hello", "--network", "networkd"}, 2),
            "debroot: error: variant 'extract' has no system to customise: '--network' cannot be used\n");
  EXPECT_EQ(failure(small({"--format", "cpio"}), 2),
            "debroot: error: unknown format 'cpio'\n"
            "  expected: auto, tar, directory, squashfs, ext2, ext4, oci or null\n");
  EXPECT_EQ(failure(small({"--jobs", "0"}), 2), "debroot: error: '--jobs' takes a number from 1 to 1024, not '0'\n");
  EXPECT_EQ(failure(small({"--frob"}), 2),
            "debroot: error: unknown option '--frob'\n"
            "  try: debroot build --help lists the options\n");
}

TEST_F(Failures, OutputDirectoryThatDoesNotExist) {
  EXPECT_EQ(failure({"-o", "nowhere/x.tar", "--variant", "custom", "--include", "hello"}, 2),
            "debroot: error: cannot write 'nowhere/x.tar': there is no directory 'PLACE/out/nowhere'\n");
}

TEST_F(Failures, OutputDirectoryThatIsNotEmpty) {
  std::filesystem::create_directory(here().out("tree"));
  put_file(here().out("tree/precious"), "mine\n");
  EXPECT_EQ(failure({"-o", "tree", "--variant", "custom", "--include", "hello"}, 2),
            "debroot: error: cannot build into 'tree': the directory is not empty\n"
            "  got: 'precious' is in it\n");
  EXPECT_EQ(bytes_of(here().out("tree/precious")), "mine\n");
}

TEST_F(Failures, OutputThatMayNotBeWritten) {
  std::optional<Account> user = ordinary_account();
  if (!user) GTEST_SKIP() << "needs an ordinary account with subordinate ids: root may write everywhere";
  Place &place = place_of(*user);
  std::filesystem::create_directory(place.out("locked"));
  ::chmod(place.out("locked").c_str(), 0555);
  EXPECT_EQ(failure(place, {"-o", "locked/x.tar", "--variant", "custom", "--include", "hello"}),
            "debroot: error: cannot write 'locked/x.tar': permission denied\n");
}

TEST_F(Failures, MirrorThatCannotBeReached) {
  std::string text = failure_of_line({"build", "tiny", "--quiet", "--mirror", "http://127.0.0.1:1/debian"}, 1);
  // libcurl's words, from 8.12 on
  if (std::size_t newer = text.find("Could not connect"); newer != std::string::npos)
    text.replace(newer, 9, "Couldn't");
  EXPECT_EQ(text,
            "debroot: error: cannot download 'http://127.0.0.1:1/debian/dists/tiny/InRelease': connection refused\n"
            "  from: http://127.0.0.1:1/debian tiny\n"
            "  got: Failed to connect to 127.0.0.1 port 1: Couldn't connect to server\n"
            "  got: 5 failed attempts\n");
}

TEST_F(Failures, MirrorWhoseNameIsUnknown) {
  EXPECT_EQ(failure_of_line({"build", "tiny", "--quiet", "--mirror", "http://mirror.invalid/debian"}, 1),
            "debroot: error: cannot download 'http://mirror.invalid/debian/dists/tiny/InRelease': host not found\n"
            "  from: http://mirror.invalid/debian tiny\n"
            "  got: Could not resolve host: mirror.invalid\n"
            "  got: 3 failed attempts\n");
}

TEST_F(Failures, PackageThatTheMirrorLost) {
  static_cast<void>(server());
  std::filesystem::remove(scratch("archive") + hello_path());
  EXPECT_EQ(failure(kSmall),
            "debroot: error: cannot download 'MIRROR/pool/main/h/hello/hello_1.0_ARCH.deb': HTTP error 404\n"
            "  from: MIRROR tiny/main, which lists hello_1.0_ARCH\n");
}

TEST_F(Failures, PackageWithOtherBytes) {
  std::string bytes = package("hello").file("usr/share/hello/greeting", "hello\n").bytes();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  archive().replace_file(hello_path().substr(1), bytes);
  EXPECT_EQ(failure(kSmall),
            "debroot: error: cannot trust 'MIRROR/pool/main/h/hello/hello_1.0_ARCH.deb': wrong SHA-256\n"
            "  from: MIRROR tiny/main, which lists hello_1.0_ARCH\n"
            "  expected: SHA256\n"
            "  got: SHA256\n"
            "  got: 3 failed attempts\n");
}

TEST_F(Failures, PackagesFileWithOtherBytes) {
  suite().wrong_digests = {"main/binary-" + architecture() + "/Packages.gz"};
  suite().has_by_hash = false;
  EXPECT_EQ(failure(kSmall),
            "debroot: error: cannot trust 'MIRROR/dists/tiny/main/binary-ARCH/Packages.gz': wrong SHA-256\n"
            "  from: MIRROR tiny\n"
            "  expected: SHA256\n"
            "  got: SHA256\n"
            "  got: 3 failed attempts\n");
}

TEST_F(Failures, ReleaseSignedByAnUnknownKey) {
  test::TestKey other;
  suite().key = &other;
  std::string text = failure(kSmall);
  for (std::size_t at = text.find(other.key_id()); at != std::string::npos; at = text.find(other.key_id())) {
    text.replace(at, other.key_id().size(), "OTHER");
  }
  EXPECT_EQ(text,
            "debroot: error: cannot trust InRelease of suite 'tiny': no signature by a known key\n"
            "  while: verifying MIRROR tiny\n"
            "  expected: a key from SCRATCH/key.asc (1 key)\n"
            "  got: signature by OTHER, key not in any keyring\n"
            "  try: --keyring=FILE with the archive's public key\n");
}

TEST_F(Failures, ReleaseWithoutSignature) {
  suite().key = nullptr;
  EXPECT_EQ(failure(kSmall),
            "debroot: error: cannot trust InRelease of suite 'tiny': it is not signed\n"
            "  while: verifying MIRROR tiny\n");
}

TEST_F(Failures, ReleaseThatExpired) {
  suite().valid_until = "Wed, 08 Jan 2020 00:00:00 UTC";
  EXPECT_EQ(failure(kSmall),
            "debroot: error: Release of 'MIRROR tiny' has expired: it was valid until Wed, 08 Jan 2020 00:00:00 UTC\n"
            "  try: --aptopt 'Acquire::Check-Valid-Until \"false\"'\n");
}

TEST_F(Failures, ExpiryCanBeIgnoredAsAptIgnoresIt) {
  suite().valid_until = "Wed, 08 Jan 2020 00:00:00 UTC";
  std::string bytes =
      image({"--variant", "custom", "--include", "hello", "--aptopt", "Acquire::Check-Valid-Until \"false\""});
  EXPECT_TRUE(read_tar(bytes).contains("/usr/share/hello/greeting"));
}

TEST_F(Failures, ReleaseFromTheFuture) {
  suite().date = "Fri, 01 Jan 2100 00:00:00 UTC";
  std::string text = failure(kSmall);
  std::size_t distance = text.find(" UTC, ") + 6;
  text.replace(distance, text.find(" seconds") - distance, "MANY");
  EXPECT_EQ(text,
            "debroot: error: Release of 'MIRROR tiny' is not valid yet: it is dated Fri, 01 Jan 2100 00:00:00 UTC, "
            "MANY seconds ahead\n"
            "  try: set the clock, or --aptopt 'Acquire::Check-Date \"false\"'\n");
}

TEST_F(Failures, CacheThatHoldsNothing) {
  EXPECT_EQ(failure(small({"--offline", "--cache", here().home()})),

            "debroot: error: cannot take 'MIRROR tiny' from the cache: its Release is not there\n"
            "  try: run once without --offline\n");
}

TEST_F(Failures, ErrorsAreToldWhateverTheProgressStyle) {
  for (const char *style : {"none", "plain", "tty"}) {
    Finished finished = build(small({"--include", "helo", "--progress", style}));
    EXPECT_THAT(finished.err, testing::HasSubstr("debroot: error: cannot find package 'helo'\n")) << style;
  }
  Finished finished = build(small({"--include", "helo", "--progress", "json"}));
  EXPECT_THAT(finished.err, testing::HasSubstr("\"message\":\"cannot find package 'helo'\""));
}

}  // namespace
}  // namespace debroot::e2e
