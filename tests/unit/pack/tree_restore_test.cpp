#include "pack/tree_restore.hpp"

#include <sys/sysmacros.h>

#include "pack/pack.hpp"
#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

std::string tar_of(const ScratchTree &tree) {
  std::string pattern = (std::filesystem::temp_directory_path() / "debroot-pack-XXXXXX").string();
  base::Fd file(::mkostemp(pattern.data(), O_CLOEXEC));
  ::unlink(pattern.c_str());
  PackOptions options;
  options.epoch_seconds = kEpoch;
  options.with_devices = false;
  std::vector<ImageSink> sinks{{file.get(), Compression::none, "tree.tar", Format::tar}};
  EXPECT_THAT(pack_tree(base::RootDirectory::open(tree.path()), sinks, options).warnings, ::testing::IsEmpty());
  ::lseek(file.get(), 0, SEEK_SET);
  return base::read_all(file.get());
}

PackCount restore(const std::string &tar, const ScratchTree &target, unsigned threads,
                  const std::vector<ExactTime> &times = {}) {
  return restore_tree(tar, base::RootDirectory::open(target.path()), {threads, times});
}

/// A little of everything that an ordinary user can make.
void fill(ScratchTree &tree) {
  tree.directory("etc");
  tree.file("etc/passwd", "root:x:0:0\n", 0640);
  tree.file("etc/empty", "");
  tree.directory("usr");
  tree.directory("usr/bin");
  tree.file("usr/bin/su", std::string(3'000'000, 's'), 04755);
  tree.hard_link("usr/bin/sudo", "usr/bin/su");
  tree.link("usr/bin/sh", "su");
  tree.directory("usr/lib", 0555);
  for (int i = 0; i < 200; ++i) tree.file(fmt::format("etc/f{:03}", i), std::string(i, 'x'));
  tree.file("etc/" + std::string(120, 'n') + "\xc3\xa9\xff", "a long name that is no text\n");
  ASSERT_EQ(::mkfifo(tree.at("etc/pipe").c_str(), 0600), 0);
  tree.set_time("etc/pipe", kEpoch - 5);
  tree.set_time("etc/passwd", 77);
  tree.set_time("etc", kEpoch);
}

class TreeRestore : public ::testing::TestWithParam<unsigned> {};

TEST_P(TreeRestore, GivesTheTreeThatWasPacked) {
  ScratchTree tree;
  fill(tree);
  ::setxattr(tree.at("etc/passwd").c_str(), "user.note", "v\0w", 3, 0);  // where the file system has them
  std::string tar = tar_of(tree);
  ScratchTree target;
  PackCount count = restore(tar, target, GetParam());
  EXPECT_EQ(tar_of(target), tar);
  EXPECT_EQ(count.entries, members_of(tar).size());
  EXPECT_EQ(target.status("usr/bin/su").st_ino, target.status("usr/bin/sudo").st_ino);
  EXPECT_EQ(target.status("usr/bin/su").st_mode & 07777, 04755U);
  ::chmod(target.at("usr/lib").c_str(), 0755);
}

TEST_P(TreeRestore, GivesOwnersAndDevicesToRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ScratchTree tree;
  tree.file("su", "x", 06755);
  ASSERT_EQ(::chown(tree.at("su").c_str(), 12, 34), 0);
  ::chmod(tree.at("su").c_str(), 06755);
  tree.set_time("su", kEpoch);
  tree.directory("home");
  ASSERT_EQ(::chown(tree.at("home").c_str(), 1000, 1000), 0);
  ::chmod(tree.at("home").c_str(), 02770);
  tree.link("home/link", "x");
  ASSERT_EQ(::lchown(tree.at("home/link").c_str(), 5, 6), 0);
  if (::mknod(tree.at("null").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) GTEST_SKIP() << "cannot make device nodes";
  ASSERT_EQ(::chmod(tree.at("null").c_str(), 0666), 0);
  for (const char *name : {"null", "home/link", "home", ""}) tree.set_time(name, kEpoch);
  std::string tar = tar_of(tree);
  ScratchTree target;
  restore(tar, target, GetParam());
  EXPECT_EQ(lines_of(members_of(tar_of(target))), lines_of(members_of(tar)));
  EXPECT_EQ(tar_of(target), tar);
}

INSTANTIATE_TEST_SUITE_P(, TreeRestore, ::testing::Values(1U, 2U, 5U));

TEST(TreeRestoreTimes, TakesExactTimesWhereThereAreAny) {
  ScratchTree tree;
  tree.directory("a");
  tree.file("a/b", "x");
  tree.file("c", "y");
  tree.link("d", "c");
  std::string tar = tar_of(tree);
  ScratchTree target;
  restore(tar, target, 1, {{0, kEpoch + 3, 30}, {1, kEpoch + 1, 10}, {3, kEpoch + 2, 20}, {4, kEpoch + 4, 40}});
  auto time_of = [&](const char *name) {
    struct stat info = target.status(name);
    return std::pair<std::int64_t, long>(info.st_mtim.tv_sec - kEpoch, info.st_mtim.tv_nsec);
  };
  EXPECT_EQ(time_of(""), std::pair(3L, 30L));
  EXPECT_EQ(time_of("a"), std::pair(1L, 10L));
  EXPECT_EQ(time_of("a/b"), std::pair(0L, 0L));
  EXPECT_EQ(time_of("c"), std::pair(2L, 20L));
  EXPECT_EQ(time_of("d"), std::pair(4L, 40L));
}

TEST(TreeRestoreFailures, SaysWhatCannotBeMade) {
  ScratchTree tree;
  tree.file("a", "x");
  std::string tar = tar_of(tree);
  ScratchTree target;
  target.file("a", "in the way");
  EXPECT_EQ(test::thrown_by([&] { return restore(tar, target, 2); }), "cannot restore '/a': file exists");
}

TEST(TreeRestoreFailures, SaysWhatIsWrongWithTheTar) {
  ScratchTree tree;
  tree.file("a", std::string(5000, 'x'));
  std::string tar = tar_of(tree);
  ScratchTree target;
  EXPECT_THAT(test::thrown_by([&] { return restore(tar.substr(0, 2000), target, 1); }),
              ::testing::StartsWith("cannot read a kept tree: "));
  tar[0] = 'x';  // which the header's checksum tells
  ScratchTree other;
  EXPECT_THAT(test::thrown_by([&] { return restore(tar, other, 1); }),
              ::testing::StartsWith("cannot read a kept tree: "));
}

}  // namespace
}  // namespace debroot::pack
