#include "pack/ext_image.hpp"

#include <sys/resource.h>

#include <csignal>

#include "image_fixture.hpp"
#include "support/thrown_error.hpp"

namespace debroot::pack {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Ext : public ::testing::TestWithParam<Format> {
 protected:
  void SetUp() override {
    for (const char *program : {"debugfs", "dumpe2fs", "e2fsck"}) {
      if (!has_program(program)) GTEST_SKIP() << "no " << program << " (package e2fsprogs)";
    }
  }
  std::string make(const std::vector<Item> &items, Format format, std::int64_t epoch = kEpoch) {
    TreeMeasure measure;
    measured(measure, items);
    base::Fd file = base::open_file(path_, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ExtImage image({file.get(), Compression::none, "out.img", format}, measure, epoch);
    feed(image, items);
    warnings_ = image.warnings();
    return scratch_.content("image");
  }
  std::string make(const std::vector<Item> &items) { return make(items, GetParam()); }
  std::string debugfs(const std::string &request) const {
    return output_of(fmt::format("debugfs -R '{}' {} 2>/dev/null", request, path_));
  }
  /// "40755 0 0 1600000000 a" for each entry of a directory but '.' and '..'.
  std::string listing(const std::string &directory) const {
    return output_of(fmt::format(
        "debugfs -R 'ls -p {}' {} 2>/dev/null | grep . | grep -v '/[.]*/[0-9]*/$' | cut -d/ -f3-7", directory, path_));
  }
  void expect_clean() const {
    EXPECT_THAT(output_of("e2fsck -fn " + path_ + " 2>&1"), Not(HasSubstr("rror"))) << "e2fsck finds something";
  }

  ScratchTree scratch_;
  std::string path_ = scratch_.at("image");
  std::vector<std::string> warnings_;
};
INSTANTIATE_TEST_SUITE_P(, Ext, ::testing::Values(Format::ext2, Format::ext4),
                         [](const auto &one) { return std::string(one.param == Format::ext2 ? "ext2" : "ext4"); });

TEST_P(Ext, HoldsEveryKindOfEntry) {
  make(all_kinds());
  expect_clean();
  EXPECT_EQ(listing("/"),
            "040700/0/0/lost+found/\n040755/0/0/dev/\n041777/0/0/a/\n010600/0/0/b/0\n060660/0/0/c/0\n"
            "120777/0/0/l/9\n120777/0/0/m/300\n100644/0/0/n/2500003\n");
  EXPECT_EQ(listing("/a"),
            "100644/0/0/empty/0\n104755/1000/70000/program/10\n100644/0/0/same/10\n104755/1000/70000/second/10\n");
  EXPECT_EQ(listing("/dev"), "020660/0/0/null/0\n");
  EXPECT_EQ(debugfs("cat /a/second"), "#!/bin/sh\n");
  EXPECT_TRUE(debugfs("cat /n") == std::string(2'500'000, 'n') + "end");
  EXPECT_THAT(debugfs("stat /a/program"), HasSubstr("Links: 2"));
  EXPECT_THAT(debugfs("stat /a/program"), HasSubstr("mtime: 0x3b9aca00"));
  EXPECT_THAT(debugfs("stat /m"), HasSubstr("Size: 300"));
  EXPECT_THAT(debugfs("stat /l"), HasSubstr("Fast link dest: \"a/program\""));
  EXPECT_THAT(debugfs("stat /dev/null"), HasSubstr("Device major/minor number: 01:03"));
  EXPECT_THAT(debugfs("stat /c"), HasSubstr("major/minor number: 259:07"));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_P(Ext, GrowsUntilTheTreeFits) {
  std::vector<Item> items = {directory_item("./"), directory_item("./many/")};
  for (int i = 0; i < 3000; ++i) {
    items.push_back(file_item(fmt::format("./many/a-name-that-takes-some-room-{:05}", i), std::string(i % 3, 'x')));
  }
  make(items);
  expect_clean();
  EXPECT_THAT(output_of("e2fsck -fn " + path_ + " 2>&1"), HasSubstr("3012/"));
}

TEST_P(Ext, NoClockIsInIt) {
  std::string bytes = make(all_kinds());
  ::sleep(1);
  EXPECT_TRUE(bytes == make(all_kinds()));
  std::string head = output_of("dumpe2fs -h " + path_ + " 2>/dev/null");
  for (const char *time : {"Filesystem created", "Last write time", "Last checked"}) {
    EXPECT_THAT(head, ::testing::ContainsRegex(std::string(time) + ": +Sun Sep 13 12:26:40 2020"));
  }
}

TEST_P(Ext, EpochGivesTheUuid) {
  make(all_kinds(), GetParam(), 1'700'000'000);
  EXPECT_THAT(output_of("dumpe2fs -h " + path_ + " 2>/dev/null"),
              HasSubstr("Filesystem UUID:          8682b84c-e448-53fd-923c-244878830e40"));
}

TEST_P(Ext, EarlyEpochsAreNotTakenForTheClock) {
  std::string bytes = make({directory_item("./")}, GetParam(), 0);
  ::sleep(1);
  EXPECT_TRUE(bytes == make({directory_item("./")}, GetParam(), 0));
  expect_clean();
}

TEST_P(Ext, FullDiskIsNamedWithTheOutput) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 100'000;
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  std::string text = test::thrown_by([&] { return make(all_kinds()); });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  EXPECT_EQ(text, "cannot write 'out.img': file too large");
}

TEST_F(Ext, Ext2LeavesOutAttributesWithAWarning) {
  std::vector<Item> items = {directory_item("./"), file_item("./ping", "x")};
  items[1].entry.attributes = {{"security.capability", "c"}};
  make(items, Format::ext2);
  EXPECT_THAT(
      warnings_,
      ElementsAre("left out of 'out.img': the extended attributes of '/ping', which an ext2 image does not have"));
}

TEST_F(Ext, Ext4HoldsAttributesAndAcls) {
  // struct posix_acl_xattr: version 2, then user::rwx, user:1:r--, group::r-x, mask::r-x, other::r-x
  const std::string acl = std::string("\x02\0\0\0", 4) + std::string("\x01\0\x07\0\xff\xff\xff\xff", 8) +
                          std::string("\x02\0\x04\0\x01\0\0\0", 8) + std::string("\x04\0\x05\0\xff\xff\xff\xff", 8) +
                          std::string("\x10\0\x05\0\xff\xff\xff\xff", 8) +
                          std::string("\x20\0\x05\0\xff\xff\xff\xff", 8);
  std::vector<Item> items = {directory_item("./"), directory_item("./journal/"), file_item("./ping", "x")};
  items[1].entry.attributes = {{"system.posix_acl_access", acl}, {"system.posix_acl_default", acl}};
  items[2].entry.attributes = {{"security.capability", "cap"}, {"user.long", std::string(1000, 'v')}};
  make(items, Format::ext4);
  expect_clean();
  EXPECT_THAT(debugfs("ea_list /ping"), HasSubstr("security.capability (3) = \"cap\""));
  EXPECT_THAT(debugfs("ea_list /ping"), HasSubstr("user.long (1000)"));
  EXPECT_THAT(debugfs("ea_list /journal"), HasSubstr("system.posix_acl_access (28)"));
  EXPECT_THAT(debugfs("ea_list /journal"), HasSubstr("system.posix_acl_default (28)"));
}

TEST_F(Ext, Ext4HoldsTimesBeyond2038AndExt2TheNearest) {
  std::vector<Item> items = {directory_item("./"), file_item("./new", ""), file_item("./old", "")};
  items[1].entry.mtime_seconds = 5'000'000'000;
  items[2].entry.mtime_seconds = -5;
  make(items, Format::ext4);
  // the words behind the numbers are not the same in every debugfs
  EXPECT_THAT(debugfs("stat /new"), HasSubstr("mtime: 0x2a05f200:00000001 "));
  EXPECT_THAT(debugfs("stat /old"), HasSubstr("mtime: 0xfffffffb:00000000 "));
  make(items, Format::ext2);
  EXPECT_THAT(debugfs("stat /new"), HasSubstr("mtime: 0x7fffffff "));
}

TEST_F(Ext, Ext4HasTheFeaturesOfDebian12) {
  std::vector<Item> items = all_kinds();
  items.push_back(file_item("./z", std::string(8'000'000, 'z')));  // or it would be too small for a journal
  make(items, Format::ext4);
  expect_clean();
  std::string head = output_of("dumpe2fs -h " + path_ + " 2>/dev/null");
  EXPECT_THAT(head, HasSubstr("Filesystem features:      has_journal ext_attr resize_inode dir_index filetype extent "
                              "64bit flex_bg sparse_super large_file huge_file dir_nlink extra_isize metadata_csum\n"));
  EXPECT_THAT(head, HasSubstr("Block size:               4096\n"));
  EXPECT_THAT(head, ::testing::ContainsRegex("Inode size:[\t ]+256\n"));
  EXPECT_THAT(head, HasSubstr("Default mount options:    user_xattr acl\n"));
}

}  // namespace
}  // namespace debroot::pack
