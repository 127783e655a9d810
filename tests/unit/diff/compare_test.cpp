#include "diff/compare.hpp"

#include "base/digest.hpp"
#include "diff/describe.hpp"
#include "diff/render.hpp"
#include "image_fixture.hpp"
#include "support/thrown_error.hpp"

namespace debroot::diff {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> compared(const std::string &a, const std::string &b, const CompareOptions &options = {},
                                  std::size_t most_lines = 0) {
  Scratch scratch;
  scratch.file("a", a);
  scratch.file("b", b);
  return render(compare_images(scratch.at("a"), scratch.at("b"), options), most_lines);
}

TEST(Compare, EqualImagesHaveOnlyASummary) {
  TarMaker a;
  TarMaker b(TarMaker::Filter::zstd);
  a.directory("./").file("./x", "x");
  b.directory("./").file("x", "x");
  EXPECT_THAT(compared(a.bytes(), b.bytes()), ElementsAre("2 entries in A, 2 in B, 0 paths differ"));
}

TEST(Compare, EveryKindOfDifferenceIsTold) {
  TarMaker a;
  TarMaker b;
  a.file("./acl", "", {.attributes = {{"user.a", "x"}, {"user.same", "1"}}});
  b.file("./acl", "", {.attributes = {{"user.same", "1"}, {"user.b", std::string("\0", 1)}}});
  a.device("./dev", 1, 3).file("./gone", "abc").link("./link", "one").file("./mode", "", {.mode = 04755});
  b.device("./dev", 1, 5).link("./link", "two").file("./mode", "", {.mode = 0755}).link("./new", "target");
  a.file("./owner", "", {.uid = 1})
      .file("./time", "", {.mtime = 1'700'000'000, .attributes = {{"user.a", "b"}}})
      .file("./type", "");
  b.file("./owner", "", {.gid = 2})
      .file("./time", "", {.nanoseconds = 5, .attributes = {{"user.a", "b"}}})
      .link("./type", "t", {.mode = 0644});
  EXPECT_THAT(compared(a.bytes(), b.bytes()),
              ElementsAre("xattr      ./acl  user.a: 'x' → none", "xattr      ./acl  user.b: none → 0x00",
                          "device     ./dev  1:3 → 1:5", "only in A  ./gone  file, 0644, 0/0, 3 bytes",
                          "link       ./link  'one' → 'two'", "mode       ./mode  4755 → 0755",
                          "only in B  ./new  symbolic link to 'target', 0777, 0/0", "owner      ./owner  1/0 → 0/2",
                          "mtime      ./time  2023-11-14T22:13:20Z → 2020-09-13T12:26:40.000000005Z",
                          "type       ./type  file → symbolic link to 't'",
                          "8 entries in A, 8 in B, 9 paths differ (only in A 1, only in B 1, type 1, mode 1, owner 1, "
                          "link 1, device 1, mtime 1, xattr 2)"));
}

TEST(Compare, ContentTellsTheFirstDifferingLine) {
  TarMaker a;
  TarMaker b;
  a.file("./passwd", "root\ndaemon\n").file("./same-size", "a\n").file("./bin", std::string("\0a", 2));
  b.file("./passwd", "root\nbin\n").file("./same-size", "b\n").file("./bin", std::string("\0b", 2));
  std::vector<std::string> lines = compared(a.bytes(), b.bytes());
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "content    ./bin  sha256 " +
                          base::hash_of(base::HashKind::sha256, std::string("\0a", 2)).substr(0, 12) + "… → sha256 " +
                          base::hash_of(base::HashKind::sha256, std::string("\0b", 2)).substr(0, 12) + "…");
  EXPECT_EQ(lines[1], "content    ./passwd  12 bytes, sha256 " +
                          base::hash_of(base::HashKind::sha256, "root\ndaemon\n").substr(0, 12) +
                          "… → 9 bytes, sha256 " + base::hash_of(base::HashKind::sha256, "root\nbin\n").substr(0, 12) +
                          "…, line 2: 'daemon' → 'bin'");
  EXPECT_THAT(lines[2], ::testing::EndsWith(", line 1: 'a' → 'b'"));
}

TEST(Compare, AttributesThatDifferOnlyFarInsideDiffer) {
  TarMaker a;
  TarMaker b;
  a.file("./f", "", {.attributes = {{"user.a", std::string(500, 'x') + "1"}}});
  b.file("./f", "", {.attributes = {{"user.a", std::string(500, 'x') + "2"}}});
  EXPECT_EQ(compared(a.bytes(), b.bytes()).back(), "1 entries in A, 1 in B, 1 path differs (xattr 1)");
}

TEST(Compare, WhichNameOfAFileComesFirstDoesNotMatter) {
  TarMaker a;
  TarMaker b;
  a.file("./x", "c").hard_link("./y", "./x").file("./z", "c");
  b.file("./y", "c").hard_link("./x", "./y").hard_link("./z", "./y");
  CompareOptions options;
  options.ignores_order = true;
  EXPECT_THAT(compared(a.bytes(), b.bytes(), options),
              ElementsAre("hard links ./x  ./y → ./y ./z", "hard links ./y  ./x → ./x ./z",
                          "hard links ./z  none → ./x ./y", "3 entries in A, 3 in B, 3 paths differ (hard links 3)"));
  options.ignore = {"./z"};
  TarMaker a2;
  TarMaker b2;
  a2.file("./x", "c").hard_link("./y", "./x").file("./z", "c");
  b2.file("./y", "c").hard_link("./x", "./y").hard_link("./z", "./y");
  EXPECT_THAT(compared(a2.bytes(), b2.bytes(), options), ElementsAre("2 entries in A, 2 in B, 0 paths differ"));
}

TEST(Compare, OrderIsThatOfWhatBothHave) {
  TarMaker a;
  TarMaker b;
  a.file("./only-a", "").file("./1", "").file("./2", "").file("./3", "");
  b.file("./1", "").file("./3", "").file("./2", "").file("./only-b", "");
  std::vector<std::string> lines = compared(a.bytes(), b.bytes(), {.ignore = {"only-*"}});
  EXPECT_THAT(lines, ElementsAre("order      ./2 → ./3, first at entry 2 of those in both",
                                 "3 entries in A, 3 in B, 0 paths differ (order 1)"));
}

TEST(Compare, RepeatedPathsAreADifference) {
  TarMaker a;
  TarMaker b;
  a.file("./x", "").file("./x", "");
  b.file("./x", "");
  EXPECT_THAT(compared(a.bytes(), b.bytes()), ElementsAre("repeated   ./x  more than once in A",
                                                          "1 entries in A, 1 in B, 1 path differs (repeated 1)"));
}

TEST(Compare, IgnoringLeavesOutWhatLiesBelow) {
  auto make = [](std::string_view content) {
    TarMaker tar;
    tar.directory("./").directory("./var").directory("./var/cache");
    tar.file("./var/cache/x", content).file("./var/cache-not", content).file("./usr/a.pyc", content);
    return tar.bytes();
  };
  auto differing = [&](std::vector<std::string> patterns) {
    CompareOptions options;
    options.ignore = std::move(patterns);
    Scratch scratch;
    scratch.file("a", make("1"));
    scratch.file("b", make("2"));
    std::vector<std::string> paths;
    for (const Difference &difference : compare_images(scratch.at("a"), scratch.at("b"), options).differences) {
      paths.push_back(difference.path);
    }
    return paths;
  };
  EXPECT_THAT(differing({}), ElementsAre("./usr/a.pyc", "./var/cache-not", "./var/cache/x"));
  EXPECT_THAT(differing({"/var/cache"}), ElementsAre("./usr/a.pyc", "./var/cache-not"));
  EXPECT_THAT(differing({"./var/cache/"}), ElementsAre("./usr/a.pyc", "./var/cache-not"));
  EXPECT_THAT(differing({"var/*", "*.pyc"}), ElementsAre());
  EXPECT_THAT(differing({"cache"}), ElementsAre("./usr/a.pyc", "./var/cache-not", "./var/cache/x"));
}

TEST(Compare, FieldsCanBeIgnored) {
  TarMaker a;
  TarMaker b;
  a.file("./x", "", {.uid = 1, .mtime = 5, .attributes = {{"user.a", "1"}}});
  b.file("./x", "", {.uid = 2, .mtime = 6, .attributes = {{"user.a", "2"}}});
  std::string bytes_a = a.bytes();
  std::string bytes_b = b.bytes();
  EXPECT_EQ(compared(bytes_a, bytes_b).size(), 4U);
  EXPECT_EQ(compared(bytes_a, bytes_b, {.ignores_mtime = true}).size(), 3U);
  EXPECT_EQ(compared(bytes_a, bytes_b, {.ignores_owner = true}).size(), 3U);
  EXPECT_EQ(compared(bytes_a, bytes_b, {.ignores_xattrs = true}).size(), 3U);
}

TEST(Compare, DirectoryAndTarOfTheSameTreeAreEqual) {
  Scratch scratch;
  std::filesystem::create_directories(scratch.at("tree/b"));
  scratch.file("tree/b/file", "x");
  ::chmod(scratch.at("tree/b/file").c_str(), 0644);
  ::chmod(scratch.at("tree/b").c_str(), 0755);
  ::chmod(scratch.at("tree").c_str(), 0755);
  for (const char *name : {"tree/b/file", "tree/b", "tree"}) scratch.set_time(name, 1'600'000'000);
  int uid = static_cast<int>(::geteuid());
  int gid = static_cast<int>(::getegid());
  struct stat info {};
  ASSERT_EQ(::stat(scratch.at("tree").c_str(), &info), 0);
  gid = static_cast<int>(info.st_gid);  // a set-group-id parent may have given its own
  TarMaker tar;
  tar.file("b/file", "x", {.uid = uid, .gid = gid}).directory("b", {.mode = 0755, .uid = uid, .gid = gid});
  tar.directory(".", {.mode = 0755, .uid = uid, .gid = gid});
  scratch.file("image", tar.bytes());
  EXPECT_THAT(render(compare_images(scratch.at("tree"), scratch.at("image"), {})),
              ElementsAre("3 entries in A, 3 in B, 0 paths differ"));
}

TEST(Compare, ErrorOfTheFirstImageComesFirst) {
  EXPECT_EQ(test::thrown_by([] { return compare_images("/no/a", "/no/b", {}); }),
            "cannot read '/no/a': no such file or directory");
}

TEST(Render, ShowsAtMostSoManyDifferences) {
  TarMaker a;
  TarMaker b;
  a.file("./1", "").file("./2", "").file("./3", "");
  b.file("./4", "");
  EXPECT_THAT(compared(a.bytes(), b.bytes(), {}, 1),
              ElementsAre("only in A  ./1  file, 0644, 0/0, 0 bytes", "... 3 more",
                          "3 entries in A, 1 in B, 4 paths differ (only in A 3, only in B 1)"));
}

TEST(Describe, BytesStayOnOneLine) {
  EXPECT_EQ(escaped("a\nb\tc\\d\x01\x7f"), "a\\nb\\tc\\\\d\\001\\177");
  EXPECT_EQ(escaped("F\xc5\x91\xff\xc5"), "F\xc5\x91\\377\\305");
}

TEST(Describe, FirstDifferenceIsFoundAtEveryPlace) {
  EXPECT_EQ(first_difference("a\nb\nc\n", "a\nb\nd\n"), "line 3: 'c' → 'd'");
  EXPECT_EQ(first_difference("a\n", "a\nb\n"), "line 2: end of file → 'b'");
  EXPECT_EQ(first_difference("", "b\n"), "line 1: end of file → 'b'");
  EXPECT_EQ(first_difference("a\n", "a"), "line 1: 'a' → 'a' (no line end)");
  EXPECT_EQ(first_difference("abc\n", "ab\n"), "line 1: 'abc' → 'ab'");
  std::string prefix(100, 'p');
  EXPECT_EQ(first_difference(prefix + "x\n", prefix + "y\n"),
            "line 1: '…" + std::string(20, 'p') + "x' → '…" + std::string(20, 'p') + "y'");
  EXPECT_EQ(first_difference("x" + prefix + "\n", "\n"), "line 1: 'x" + std::string(59, 'p') + "…' → ''");
}

TEST(Describe, TimesBeforeTheEpochAndAttributesAreReadable) {
  Entry entry;
  entry.mtime_seconds = -1;
  EXPECT_EQ(time_of(entry), "1969-12-31T23:59:59Z");
  EXPECT_EQ(value_of("plain"), "'plain'");
  EXPECT_EQ(value_of(""), "''");
  EXPECT_EQ(value_of(std::string("\1\xff", 2)), "0x01ff");
  EXPECT_EQ(value_of(std::string(100, 'v')), "'" + std::string(60, 'v') + "…'");
}

}  // namespace
}  // namespace debroot::diff
