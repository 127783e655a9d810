#include "pack/directory.hpp"

#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::pack {
namespace {

std::string refusal(const std::string &path, ErrorKind *kind = nullptr) {
  return test::thrown_by([&] { check_directory_target(path); }, kind);
}

TEST(DirectoryTarget, MayBeAbsentOrEmptyOrHoldAnEmptyLostAndFound) {
  ScratchTree scratch;
  scratch.directory("empty");
  EXPECT_EQ(refusal(scratch.at("empty")), "nothing was thrown");
  EXPECT_EQ(refusal(scratch.at("absent")), "nothing was thrown");
  EXPECT_EQ(refusal(scratch.at("absent/")), "nothing was thrown");
  scratch.directory("disk");
  scratch.directory("disk/lost+found");
  EXPECT_EQ(refusal(scratch.at("disk")), "nothing was thrown");
}

TEST(DirectoryTarget, MustNotHoldAnything) {
  ScratchTree scratch;
  scratch.file("passwd", "");
  std::string prefix = "cannot make an image in '" + scratch.path() + "': ";
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(refusal(scratch.path(), &kind), prefix + "the directory is not empty\n  got: passwd");
  EXPECT_EQ(kind, ErrorKind::usage);
  ScratchTree disk;
  disk.directory("lost+found");
  disk.file("lost+found/#12", "");
  EXPECT_EQ(refusal(disk.path()),
            "cannot make an image in '" + disk.path() + "': the directory is not empty\n  got: lost+found");
}

TEST(DirectoryTarget, MustBeADirectoryInADirectory) {
  ScratchTree scratch;
  scratch.file("file", "");
  std::string file = scratch.at("file");
  EXPECT_EQ(refusal(file), "cannot make an image in '" + file + "': it is not a directory");
  EXPECT_EQ(refusal("no/such"), "cannot make an image in 'no/such': the directory 'no' does not exist");
  EXPECT_EQ(refusal(file + "/x"), "cannot make an image in '" + file + "/x': '" + file + "' is not a directory");
}

TEST(DirectoryTarget, IsNeverTheSystemItself) {
  EXPECT_EQ(refusal("/"), "cannot make an image in '/': it is this system's root");
  EXPECT_EQ(refusal("/usr/.."), "cannot make an image in '/usr/..': it is this system's root");
}

TEST(DirectoryTarget, UnreadableOneIsNamed) {
  ScratchTree scratch;
  scratch.directory("closed", 0);
  AsNobody nobody;
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(refusal(scratch.at("closed"), &kind),
            "cannot make an image in '" + scratch.at("closed") + "': permission denied");
  EXPECT_EQ(kind, ErrorKind::output);
}

TEST(FinishDirectory, TimesBecomeThoseOfTheTar) {
  ScratchTree tree;
  tree.directory("new");
  tree.directory("new/inner");
  tree.file("new/inner/file", "");
  tree.file("old", "");
  tree.link("link", "nowhere");
  tree.set_time("new/inner/file", kEpoch + 1);
  tree.set_time("new/inner", kEpoch + 2);
  tree.set_time("new", kEpoch - 10, 5);
  tree.set_time("old", kEpoch - 1);
  tree.set_time("link", kEpoch + 3);
  tree.set_time("", kEpoch, 7);
  finish_directory(base::RootDirectory::open(tree.path()), kEpoch);
  auto time = [&](const char *name) {
    return fmt::format("{}.{}", tree.status(name).st_mtim.tv_sec, tree.status(name).st_mtim.tv_nsec);
  };
  EXPECT_EQ(time("new/inner/file"), "1600000000.0");
  EXPECT_EQ(time("new/inner"), "1600000000.0");
  EXPECT_EQ(time("new"), "1599999990.0");
  EXPECT_EQ(time("old"), "1599999999.0");
  EXPECT_EQ(time("link"), "1600000000.0");
  EXPECT_EQ(time(""), "1600000000.0");
}

TEST(FinishDirectory, NamesWhatItCannotChange) {
  ScratchTree tree;
  tree.directory("d");
  tree.file("d/file", "");
  tree.set_time("d/file", kEpoch + 1);
  if (::geteuid() != 0) GTEST_SKIP() << "everything here is the caller's own";
  base::RootDirectory root = base::RootDirectory::open(tree.path());
  AsNobody nobody;
  EXPECT_EQ(test::thrown_by([&] { finish_directory(root, kEpoch); }),
            "cannot set the time of '/d/file' in the root: operation not permitted");
  EXPECT_EQ(test::thrown_by([&] { finish_directory(base::RootDirectory::open(tree.at("none")), kEpoch); }),
            "cannot open the directory '" + tree.at("none") + "': no such file or directory");
}

}  // namespace
}  // namespace debroot::pack
