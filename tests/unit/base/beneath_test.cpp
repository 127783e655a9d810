#include "base/beneath.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::base {
namespace {

using test::ScratchRoot;
using test::thrown_by;

/// A root within a directory that holds a file which must never be reached.
struct GuardedRoot {
  GuardedRoot() {
    outer.file("/secret", "outside");
    outer->make_directories("/root/etc");
    root = RootDirectory::open(outer.at("root"));
  }
  [[nodiscard]] std::string secret() const { return outer->read("/secret"); }
  ScratchRoot outer;
  RootDirectory root;
};

TEST(RootDirectory, AllSpellingsOfAPathMeanTheSame) {
  ScratchRoot root;
  root.file("/etc/x", "1");
  for (const char *path : {"etc/x", "/etc/x", "./etc/x", "//etc//x", "/./etc/x", "etc/../etc/x"}) {
    EXPECT_EQ(root->read(path), "1") << path;
  }
  EXPECT_TRUE(root->exists("/"));
  EXPECT_TRUE(root->exists("."));
  EXPECT_TRUE(root->exists(""));
}

TEST(RootDirectory, NothingLeadsOut) {
  GuardedRoot guarded;
  const RootDirectory &root = guarded.root;
  root.make_link("/up", "../secret");
  root.make_link("/absolute", guarded.outer.at("secret"));
  root.make_link("/directory", "../..");
  root.make_link("/proc-link", "/proc/self/root");
  EXPECT_FALSE(root.try_read("../secret"));
  EXPECT_FALSE(root.try_read("/etc/../../secret"));
  EXPECT_FALSE(root.try_read("/up"));
  EXPECT_FALSE(root.try_read("/absolute"));
  EXPECT_FALSE(root.try_read("/directory/secret"));
  EXPECT_FALSE(root.status_followed("/proc-link"));
  root.write("/up", "inside");  // what the link means within the root
  EXPECT_EQ(root.read("/secret"), "inside");
  root.remove_tree("/../secret");
  EXPECT_FALSE(root.exists("/secret"));
  EXPECT_EQ(guarded.secret(), "outside");
}

TEST(RootDirectory, RemovalNeverFollowsLinks) {
  GuardedRoot guarded;
  guarded.root.make_directories("/tmp/deep");
  guarded.root.make_link("/tmp/link", guarded.outer.path());
  guarded.root.make_link("/tmp/deep/up", "../../..");
  guarded.root.clear_directory("/tmp");
  EXPECT_TRUE(guarded.root.list("/tmp").empty());
  guarded.root.make_link("/linked", guarded.outer.path());
  guarded.root.remove_tree("/linked");
  EXPECT_FALSE(guarded.root.exists("/linked"));
  EXPECT_EQ(guarded.secret(), "outside");
}

TEST(RootDirectory, AbsoluteLinksStartAtTheRoot) {
  ScratchRoot root;
  root.file("/usr/bin/tool", "t");
  root->make_link("/bin", "/usr/bin");
  EXPECT_EQ(root->read("/bin/tool"), "t");
  EXPECT_EQ(root->link_target("/bin"), "/usr/bin");
  EXPECT_EQ(root->link_target("/bin/tool"), std::nullopt);
  EXPECT_EQ(root->link_target("/nothing"), std::nullopt);
  EXPECT_TRUE(S_ISLNK(root->status("/bin")->st_mode));
  EXPECT_TRUE(S_ISDIR(root->status_followed("/bin")->st_mode));
}

TEST(RootDirectory, ModesAreExactWhateverTheUmask) {
  ScratchRoot root;
  mode_t before = ::umask(077);
  root->write("/file", "x", 0666);
  root->make_directories("/a/b", 01777);
  ::umask(before);
  EXPECT_EQ(root->status("/file")->st_mode & 07777U, 0666U);
  EXPECT_EQ(root->status("/a/b")->st_mode & 07777U, 01777U);
  EXPECT_EQ(root->status("/a")->st_mode & 07777U, 0755U);
}

TEST(RootDirectory, ReplaceAppendRenameAndList) {
  ScratchRoot root;
  root->write("/b", "one\n");
  root->append("/b", "two\n");
  EXPECT_EQ(root->read("/b"), "one\ntwo\n");
  ino_t inode = root->status("/b")->st_ino;
  root->replace("/b", "three", 0600);
  EXPECT_NE(root->status("/b")->st_ino, inode);
  EXPECT_EQ(root->list("/"), (std::vector<std::string>{"b"}));
  root->rename("/b", "/a");
  root->write("/B", "");
  EXPECT_EQ(root->list("/"), (std::vector<std::string>{"B", "a"}));
  EXPECT_TRUE(root->list("/nothing").empty());
  EXPECT_TRUE(root->remove_file("/a"));
  EXPECT_FALSE(root->remove_file("/a"));
}

TEST(RootDirectory, ClearDirectoryKeepsWhatItIsTold) {
  ScratchRoot root;
  root.file("/run/lock/x", "");
  root.file("/run/other/deep/y", "");
  root->clear_directory("/run", {"lock"});
  EXPECT_EQ(root->list("/run"), (std::vector<std::string>{"lock"}));
  EXPECT_TRUE(root->exists("/run/lock/x"));
  root->clear_directory("/absent");
}

TEST(RootDirectory, ErrorsNameThePathAsSeenInside) {
  ScratchRoot root;
  root->write("/file", "");
  EXPECT_EQ(thrown_by([&] { return root->read("etc/x"); }),
            "cannot open '/etc/x' in the root: no such file or directory");
  EXPECT_EQ(thrown_by([&] {
              root->make_directories("/file/x");
              return 0;
            }),
            "cannot make the directory '/file' in the root: not a directory");
  EXPECT_EQ(thrown_by([&] {
              root->rename("/a/b", "/c");
              return 0;
            }),
            "cannot rename '/a/b' in the root: no such file or directory");
  EXPECT_EQ(thrown_by([&] {
              root->make_link("/file", "x");
              return 0;
            }),
            "cannot make the link '/file' in the root: file exists");
  EXPECT_EQ(thrown_by([&] {
              root->set_mode("/a/b", 0644);
              return 0;
            }),
            "cannot set the mode of '/a/b' in the root: no such file or directory");
  EXPECT_EQ(thrown_by([&] {
              root->set_owner("/nothing", 0, 0);
              return 0;
            }),
            "cannot set the owner of '/nothing' in the root: no such file or directory");
  EXPECT_EQ(thrown_by([] { return RootDirectory::open("/no/such/place"); }),
            "cannot open the directory '/no/such/place': no such file or directory");
}

}  // namespace
}  // namespace debroot::base
