#include "diff/image.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "base/digest.hpp"
#include "diff/entries.hpp"
#include "image_fixture.hpp"
#include "support/thrown_error.hpp"

namespace debroot::diff {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> paths_of(const Image &image) {
  std::vector<std::string> paths;
  for (const Entry &entry : image.entries) paths.push_back(entry.path);
  return paths;
}

const Entry &entry_at(const Image &image, std::string_view path) {
  for (const Entry &entry : image.entries) {
    if (entry.path == path) return entry;
  }
  throw std::out_of_range(std::string(path));
}

Image image_of(const std::string &bytes) {
  Scratch scratch;
  scratch.file("image", bytes);
  return read_image(scratch.at("image"));
}

std::string refusal(const std::string &bytes) {
  Scratch scratch;
  scratch.file("image", bytes);
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.at(""));
  ErrorKind kind = ErrorKind::usage;
  std::string text = test::thrown_by([] { return read_image("image"); }, &kind);
  std::filesystem::current_path(before);
  EXPECT_EQ(kind, ErrorKind::usage);
  return text;
}

TEST(PlainPath, SpellsEveryFormAlike) {
  for (const char *path : {"etc/apt", "./etc/apt", "/etc/apt", "./etc/apt/", ".//etc/apt"}) {
    EXPECT_EQ(plain_path(path), "./etc/apt") << path;
  }
  for (const char *path : {".", "./", "/", ""}) EXPECT_EQ(plain_path(path), ".") << path;
  EXPECT_EQ(plain_path(".hidden"), "./.hidden");
  EXPECT_EQ(plain_path("..x"), "./..x");
}

TEST(TarImage, EveryFieldOfEveryTypeIsRead) {
  TarMaker tar;
  tar.directory("./", {.mode = 0755, .uid = 3, .gid = 4});
  tar.file("./a", "content\n",
           {.mode = 04755, .mtime = 1'500'000'000, .nanoseconds = 5, .attributes = {{"user.a", "b"}}});
  tar.link("./l", "../x").device("./dev/null", 1, 3, {.mode = 0666});
  Image image = image_of(tar.bytes());
  EXPECT_TRUE(image.has_order);
  EXPECT_THAT(paths_of(image), ElementsAre(".", "./a", "./l", "./dev/null"));
  const Entry &root = image.entries[0];
  EXPECT_EQ(root.type, EntryType::directory);
  EXPECT_EQ(root.uid, 3);
  EXPECT_EQ(root.gid, 4);
  const Entry &file = image.entries[1];
  EXPECT_EQ(file.type, EntryType::file);
  EXPECT_EQ(file.mode, 04755U);
  EXPECT_EQ(file.mtime_seconds, 1'500'000'000);
  EXPECT_EQ(file.mtime_nanoseconds, 5);
  EXPECT_EQ(file.size_bytes, 8U);
  EXPECT_EQ(file.sha256, base::hash_of(base::HashKind::sha256, "content\n"));
  EXPECT_EQ(file.text, "content\n");
  EXPECT_EQ(image.entries[2].type, EntryType::symbolic_link);
  EXPECT_EQ(image.entries[2].link_target, "../x");
  EXPECT_EQ(image.entries[3].type, EntryType::character_device);
  EXPECT_EQ(image.entries[3].device_major, 1U);
  EXPECT_EQ(image.entries[3].device_minor, 3U);
}

TEST(TarImage, EveryCompressionIsRead) {
  using Filter = TarMaker::Filter;
  for (Filter filter : {Filter::none, Filter::gzip, Filter::bzip2, Filter::xz, Filter::lzma, Filter::zstd}) {
    TarMaker tar(filter);
    EXPECT_THAT(paths_of(image_of(tar.file("a", "x").bytes())), ElementsAre("./a")) << static_cast<int>(filter);
  }
}

TEST(TarImage, BinaryAndLargeFilesKeepNoText) {
  TarMaker tar;
  tar.file("binary", std::string("a\0b", 3)).file("large", std::string((1 << 20) + 1, 'x'));
  Image image = image_of(tar.bytes());
  EXPECT_FALSE(image.entries[0].text);
  EXPECT_FALSE(image.entries[1].text);
  EXPECT_EQ(image.entries[1].size_bytes, (1U << 20) + 1);
}

TEST(TarImage, AttributesAreReadSortedAndLabelsAreNot) {
  TarMaker tar;
  tar.file(
      "a", "",
      {.attributes = {{"user.z", "1"}, {"security.capability", std::string("\1\0", 2)}, {"security.selinux", "x"}}});
  tar.file("b", "", {.acl = "user::rw-,group::r--,other::r--,user:7:rwx,mask::rwx"});
  Image image = image_of(tar.bytes());
  EXPECT_EQ(image.entries[0].attributes,
            (std::vector<base::ExtendedAttribute>{{"security.capability", std::string("\1\0", 2)}, {"user.z", "1"}}));
  ASSERT_EQ(image.entries[1].attributes.size(), 1U);
  EXPECT_EQ(image.entries[1].attributes[0].name, "acl");
  EXPECT_THAT(image.entries[1].attributes[0].value, ::testing::HasSubstr(":7"));
}

TEST(TarImage, HardLinksAreWhatTheyShare) {
  TarMaker tar;
  tar.file("./b", "shared", {.mode = 0600}).hard_link("./a", "./b").hard_link("./c", "./a").file("./d", "");
  Image image = image_of(tar.bytes());
  for (const char *path : {"./a", "./b", "./c"}) {
    const Entry &entry = entry_at(image, path);
    EXPECT_EQ(entry.type, EntryType::file) << path;
    EXPECT_EQ(entry.mode, 0600U);
    EXPECT_EQ(entry.text, "shared");
    EXPECT_THAT(entry.names, ElementsAre("./a", "./b", "./c"));
  }
  EXPECT_THAT(entry_at(image, "./d").names, IsEmpty());
}

TEST(TarImage, HardLinksToNothingAndInCirclesStayLinks) {
  TarMaker tar;
  tar.hard_link("./a", "./none").hard_link("./b", "./c").hard_link("./c", "./b");
  Image image = image_of(tar.bytes());
  for (const Entry &entry : image.entries) EXPECT_EQ(entry.type, EntryType::hard_link) << entry.path;
  EXPECT_EQ(image.entries[0].link_target, "./none");
}

TEST(TarImage, OfRepeatedPathsTheLastCounts) {
  TarMaker tar;
  tar.file("./a", "first").file("./b", "").file("a", "second");
  Image image = image_of(tar.bytes());
  EXPECT_THAT(paths_of(image), ElementsAre("./b", "./a"));
  EXPECT_EQ(entry_at(image, "./a").text, "second");
  EXPECT_THAT(image.repeated, ElementsAre("./a"));
}

TEST(TarImage, NamesNeedNoLocale) {
  TarMaker tar;
  std::string bytes = tar.file("./plain", "").bytes();
  bytes.replace(0, 7, "./F\xc5\x91\xff_");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(bytes[i]);
  bytes.replace(148, 6, fmt::format("{:06o}", sum));
  EXPECT_THAT(paths_of(image_of(bytes)), ElementsAre("./F\xc5\x91\xff_"));
}

TEST(TarImage, WhatIsNoTarIsRefused) {
  EXPECT_EQ(refusal("just text\n"), "cannot read 'image': neither a tar nor a directory");
  EXPECT_EQ(refusal(""), "cannot read 'image': neither a tar nor a directory");
  EXPECT_EQ(refusal(std::string(10240, '\0')), "cannot read 'image': neither a tar nor a directory");
}

TEST(TarImage, AbsentOneIsNamed) {
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(test::thrown_by([] { return read_image("/no/such.tar"); }, &kind),
            "cannot read '/no/such.tar': no such file or directory");
  EXPECT_EQ(kind, ErrorKind::usage);
}

TEST(TarImage, TruncationIsFoundWhereverItIs) {
  TarMaker tar;
  std::string bytes = tar.file("./a", std::string(600, 'a')).file("./b", std::string(2000, 'b')).bytes();
  EXPECT_EQ(refusal(bytes.substr(0, 3000)),
            "cannot read 'image' beyond byte 3000: truncated tar archive\n  got: the beginning of './b'");
  EXPECT_EQ(
      refusal(bytes.substr(0, 1536)),
      "cannot read 'image': the tar ends without its end marker after 1536 bytes\n  got: './a' as the last entry");
  EXPECT_EQ(refusal(bytes.substr(0, 1536 + 100)), "cannot read 'image' beyond byte 1536: truncated tar archive");
  TarMaker compressed(TarMaker::Filter::zstd);
  std::string noise;
  for (unsigned i = 1; noise.size() < 2'000'000; i = i * 1664525 + 1013904223) noise += std::to_string(i);
  EXPECT_EQ(refusal(compressed.file("./a", noise).bytes().substr(0, 500'000)),
            "cannot read 'image' beyond byte 500000: truncated zstd input\n  got: the beginning of './a'");
}

TEST(TarImage, DamagedCompressionIsNoFormatQuestion) {
  TarMaker tar(TarMaker::Filter::gzip);
  EXPECT_EQ(refusal(tar.file("./a", "x").bytes().substr(0, 30)), "cannot read 'image': truncated gzip input");
}

TEST(DirectoryImage, EveryFieldIsRead) {
  Scratch scratch;
  std::filesystem::create_directories(scratch.at("tree/etc"));
  scratch.file("tree/etc/passwd", "root\n");
  ::chmod(scratch.at("tree/etc/passwd").c_str(), 0640);
  std::filesystem::create_symlink("passwd", scratch.at("tree/etc/link"));
  std::filesystem::create_hard_link(scratch.at("tree/etc/passwd"), scratch.at("tree/a"));
  ASSERT_EQ(::mkfifo(scratch.at("tree/pipe").c_str(), 0600), 0);
  scratch.set_time("tree/etc/passwd", 1'600'000'000, 7);
  bool has_attributes = ::setxattr(scratch.at("tree/etc/passwd").c_str(), "user.a", "b", 1, 0) == 0;
  Image image = read_image(scratch.at("tree"));
  EXPECT_FALSE(image.has_order);
  EXPECT_THAT(paths_of(image), ElementsAre(".", "./a", "./etc", "./etc/link", "./etc/passwd", "./pipe"));
  const Entry &file = entry_at(image, "./etc/passwd");
  EXPECT_EQ(file.type, EntryType::file);
  EXPECT_EQ(file.mode, 0640U);
  EXPECT_EQ(file.uid, static_cast<std::int64_t>(::geteuid()));
  EXPECT_EQ(file.mtime_seconds, 1'600'000'000);
  EXPECT_EQ(file.mtime_nanoseconds, 7);
  EXPECT_EQ(file.text, "root\n");
  EXPECT_EQ(file.sha256, base::hash_of(base::HashKind::sha256, "root\n"));
  EXPECT_THAT(file.names, ElementsAre("./a", "./etc/passwd"));
  if (has_attributes) {
    EXPECT_EQ(file.attributes, (std::vector<base::ExtendedAttribute>{{"user.a", "b"}}));
  }
  EXPECT_EQ(entry_at(image, "./etc/link").link_target, "passwd");
  EXPECT_EQ(entry_at(image, "./pipe").type, EntryType::fifo);
}

TEST(DirectoryImage, LinksNeverLeadOut) {
  Scratch scratch;
  std::filesystem::create_directories(scratch.at("outside/secret"));
  std::filesystem::create_directories(scratch.at("tree"));
  std::filesystem::create_symlink("../outside", scratch.at("tree/link"));
  EXPECT_THAT(paths_of(read_image(scratch.at("tree"))), ElementsAre(".", "./link"));
}

TEST(DirectoryImage, UnreadableFileIsNamed) {
  Scratch scratch;
  std::filesystem::create_directories(scratch.at("tree"));
  scratch.file("tree/shadow", "");
  ::chmod(scratch.at("").c_str(), 0755);
  ::chmod(scratch.at("tree/shadow").c_str(), 0);
  // root reads everything, so the tests act as nobody here should they run as root
  bool is_root = ::geteuid() == 0;
  if (is_root && ::seteuid(65534) != 0) GTEST_FAIL();
  std::string text = test::thrown_by([&] { return read_image(scratch.at("tree")); });
  if (is_root && ::seteuid(0) != 0) std::abort();
  EXPECT_EQ(text, "cannot read './shadow' in '" + scratch.at("tree") + "': permission denied");
}

}  // namespace
}  // namespace debroot::diff
