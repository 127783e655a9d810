#include "pack/squashfs_image.hpp"

#include <cstring>

#include "image_fixture.hpp"
#include "support/thrown_error.hpp"

namespace debroot::pack {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Squashfs : public ::testing::Test {
 protected:
  std::string make(const std::vector<Item> &items, unsigned threads = 1, std::size_t piece = 1 << 20) {
    base::Fd file = base::open_file(path_, O_RDWR | O_CREAT | O_TRUNC, 0600);
    SquashfsImage image({file.get(), Compression::none, "out.squashfs", Format::squashfs}, kEpoch, threads);
    feed(image, items, piece);
    warnings_ = image.warnings();
    return scratch_.content("image");
  }
  void need_reader() {
    if (!has_program("unsquashfs")) GTEST_SKIP() << "no unsquashfs (package squashfs-tools)";
  }
  template <class Number>
  static Number number_at(const std::string &bytes, std::size_t offset) {
    Number number{};
    std::memcpy(&number, bytes.data() + offset, sizeof(number));
    return number;
  }

  ScratchTree scratch_;
  std::string path_ = scratch_.at("image");
  std::vector<std::string> warnings_;
};

TEST_F(Squashfs, HoldsEveryKindOfEntry) {
  need_reader();
  make(all_kinds());
  EXPECT_EQ(output_of("unsquashfs -lln " + path_ + " | tr -s ' '"),
            "drwxr-xr-x 0/0 80 2020-09-13 12:26 squashfs-root\n"
            "drwxrwxrwt 0/0 69 2020-09-13 12:26 squashfs-root/a\n"
            "-rw-r--r-- 0/0 0 2020-09-13 12:26 squashfs-root/a/empty\n"
            "-rwsr-xr-x 1000/70000 10 2001-09-09 01:46 squashfs-root/a/program\n"
            "-rw-r--r-- 0/0 10 2020-09-13 12:26 squashfs-root/a/same\n"
            "-rwsr-xr-x 1000/70000 10 2001-09-09 01:46 squashfs-root/a/second\n"
            "prw------- 0/0 0 2020-09-13 12:26 squashfs-root/b\n"
            "brw-rw---- 0/0 259, 7 2020-09-13 12:26 squashfs-root/c\n"
            "drwxr-xr-x 0/0 27 2020-09-13 12:26 squashfs-root/dev\n"
            "crw-rw---- 0/0 1, 3 2020-09-13 12:26 squashfs-root/dev/null\n"
            "lrwxrwxrwx 0/0 9 2020-09-13 12:26 squashfs-root/l -> a/program\n"
            "lrwxrwxrwx 0/0 300 2020-09-13 12:26 squashfs-root/m -> " +
                std::string(300, 't') +
                "\n"
                "-rw-r--r-- 0/0 2500003 2020-09-13 12:26 squashfs-root/n\n");
  EXPECT_EQ(output_of("unsquashfs -cat " + path_ + " a/second"), "#!/bin/sh\n");
  EXPECT_TRUE(output_of("unsquashfs -cat " + path_ + " n") == std::string(2'500'000, 'n') + "end");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Squashfs, IsMadeAsMmdebstrapMakesIt) {
  std::string bytes = make(all_kinds());
  EXPECT_EQ(bytes.substr(0, 4), "hsqs");
  EXPECT_EQ(number_at<std::uint32_t>(bytes, 4), 12U) << "inodes: two names are one";
  EXPECT_EQ(number_at<std::uint32_t>(bytes, 8), kEpoch) << "time of the file system";
  EXPECT_EQ(number_at<std::uint32_t>(bytes, 12), 1U << 20) << "block size";
  EXPECT_EQ(number_at<std::uint16_t>(bytes, 20), 4U) << "xz";
  EXPECT_EQ(number_at<std::uint16_t>(bytes, 24) & 0x80, 0x80) << "exportable";
  EXPECT_EQ(bytes.size() % 4096, 0U);
}

TEST_F(Squashfs, BytesDependNeitherOnThreadsNorOnPieces) {
  std::vector<Item> items = {directory_item("./")};
  for (int i = 0; i < 300; ++i) {
    std::string content;
    for (int line = 0; line < 100 * (i % 40); ++line) content += fmt::format("{} {}\n", i * line, i % 7);
    items.push_back(file_item(fmt::format("./f{:03}", i), content));
  }
  std::string one = make(items);
  EXPECT_TRUE(one == make(items, 3));
  EXPECT_TRUE(one == make(items, 2, 777));
}

TEST_F(Squashfs, LeavesOutAclsWithAWarning) {
  std::vector<Item> items = {directory_item("./"), directory_item("./journal/"), file_item("./ping", "x")};
  items[1].entry.attributes = {{"system.posix_acl_access", "a"}, {"system.posix_acl_default", "b"}};
  items[2].entry.attributes = {{"security.capability", "c"}};
  make(items);
  EXPECT_THAT(warnings_,
              ElementsAre("left out of 'out.squashfs': the ACL of '/journal', which a squashfs cannot hold"));
  if (has_program("rdsquashfs")) {
    EXPECT_THAT(output_of("rdsquashfs -x ping " + path_), HasSubstr("security.capability"));
  }
}

TEST_F(Squashfs, TimesBeyondItsRangeAreTheNearest) {
  need_reader();
  std::vector<Item> items = {directory_item("./"), file_item("./new", ""), file_item("./old", "")};
  items[1].entry.mtime_seconds = std::int64_t{1} << 40;
  items[2].entry.mtime_seconds = -5;
  make(items);
  std::string listing = output_of("unsquashfs -lln " + path_);
  EXPECT_THAT(listing, HasSubstr("2106-02-07 06:28 squashfs-root/new"));
  EXPECT_THAT(listing, HasSubstr("1970-01-01 00:00 squashfs-root/old"));
}

TEST_F(Squashfs, FullDiskIsNamedWithTheOutput) {
  base::Fd full = base::open_file("/dev/full", O_RDWR);
  EXPECT_EQ(test::thrown_by([&] {
              SquashfsImage image({full.get(), Compression::none, "out.squashfs", Format::squashfs}, kEpoch, 1);
              feed(image, all_kinds());
            }),
            "cannot write 'out.squashfs': no space left on device");
}

}  // namespace
}  // namespace debroot::pack
