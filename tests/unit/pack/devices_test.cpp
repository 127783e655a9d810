#include "pack/devices.hpp"

#include <sys/sysmacros.h>

#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

using ::testing::ElementsAre;

TEST(MakeDevices, FillsDevAndLeavesItsTime) {
  ScratchTree tree;
  tree.directory("dev");
  bool has_all = make_devices(base::RootDirectory::open(tree.path()), true);
  EXPECT_EQ(std::filesystem::read_symlink(tree.at("dev/stdin")), "/proc/self/fd/0");
  EXPECT_EQ(tree.status("dev/pts").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(tree.status("dev").st_mtim.tv_sec, kEpoch);
  if (!has_all) GTEST_SKIP() << "cannot make device nodes";
  EXPECT_EQ(tree.status("dev/console").st_mode, S_IFCHR | 0666U);
  EXPECT_EQ(tree.status("dev/console").st_rdev, makedev(5, 1));
  EXPECT_TRUE(make_devices(base::RootDirectory::open(tree.path()), true)) << "what is there stays";
}

TEST(RemoveDevices, LeavesWhatIsNotOfItsMaking) {
  ScratchTree tree;
  tree.directory("dev");
  base::RootDirectory root = base::RootDirectory::open(tree.path());
  make_devices(root, may_make_nodes(root));
  tree.file("dev/shm/x", "");
  root.remove_file("/dev/stdin");
  tree.file("dev/stdin", "");
  timespec times[2] = {{kEpoch, 0}, {kEpoch, 0}};
  ::utimensat(root.fd(), "dev", times, 0);
  remove_devices(root);
  EXPECT_THAT(root.list("/dev"), ElementsAre("shm", "stdin"));
  EXPECT_EQ(tree.status("dev").st_mtim.tv_sec, kEpoch);
}

TEST(MakeDevices, WithoutNodesMakesDirectoriesAndLinks) {
  ScratchTree tree;
  EXPECT_TRUE(make_devices(base::RootDirectory::open(tree.path()), false));
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(tree.at("dev")))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_THAT(names, ElementsAre("fd", "pts", "shm", "stderr", "stdin", "stdout"));
}

}  // namespace
}  // namespace debroot::pack
