#include "base/xattr.hpp"

#include "support/thrown_error.hpp"
#include "tree_fixture.hpp"

namespace debroot::base {
namespace {

TEST(ImageAttributes, ThoseOfTheHostAreNotOfTheImage) {
  for (const char *name :
       {"security.capability", "system.posix_acl_access", "system.posix_acl_default", "user.a", "trusted.a"}) {
    EXPECT_TRUE(is_image_attribute(name)) << name;
  }
  for (const char *name : {"security.selinux", "security.ima", "system.nfs4_acl", "trusted.SGI_ACL_FILE", "btrfs.x"}) {
    EXPECT_FALSE(is_image_attribute(name)) << name;
  }
}

TEST(ImageAttributes, FilesAndLinksWithoutAnyHaveNone) {
  pack::ScratchTree tree;
  tree.file("f", "");
  tree.link("l", "f");
  Fd file = open_file(tree.at("f"), O_RDONLY);
  Fd directory = open_file(tree.path(), O_RDONLY);
  EXPECT_TRUE(image_attributes(file.get(), "/f").empty());
  EXPECT_TRUE(image_attributes_at(directory.get(), "l", "/l").empty());
}

TEST(ImageAttributes, LinksAreNotFollowed) {
  pack::ScratchTree tree;
  tree.file("f", "");
  tree.link("l", "f");
  if (::setxattr(tree.at("f").c_str(), "user.a", "b", 1, 0) != 0) GTEST_SKIP() << "no user attributes here";
  Fd directory = open_file(tree.path(), O_RDONLY);
  EXPECT_EQ(image_attributes_at(directory.get(), "f", "/f"), (std::vector<ExtendedAttribute>{{"user.a", "b"}}));
  EXPECT_TRUE(image_attributes_at(directory.get(), "l", "/l").empty());
}

TEST(ImageAttributes, ManyNamesAndLargeValuesAreReadWhole) {
  pack::ScratchTree tree;
  tree.file("f", "");
  std::vector<ExtendedAttribute> expected;
  for (int i = 10; i < 40; ++i) expected.push_back({fmt::format("user.{}{}", i, std::string(50, 'n')), "v"});
  expected.push_back({"user.large", std::string(1500, 'v')});
  for (const ExtendedAttribute &attribute : expected) {
    if (::setxattr(tree.at("f").c_str(), attribute.name.c_str(), attribute.value.data(), attribute.value.size(), 0) !=
        0) {
      GTEST_SKIP() << "the file system has no room for as many";
    }
  }
  EXPECT_EQ(image_attributes(open_file(tree.at("f"), O_RDONLY).get(), "/f"), expected);
}

TEST(ImageAttributes, FailureNamesTheSubject) {
  EXPECT_EQ(test::thrown_by([] { return image_attributes(-1, "/etc/x"); }),
            "cannot read the attributes of '/etc/x': bad file descriptor");
}

}  // namespace
}  // namespace debroot::base
