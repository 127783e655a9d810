#include "build/root_skeleton.hpp"

#include <gtest/gtest.h>

#include "support/scratch_root.hpp"

namespace debroot::build {
namespace {

TEST(RootSkeleton, CopiesWhatThePlanTakesFromTheHost) {
  test::ScratchRoot root;
  BuildPlan plan;
  plan.architecture = "amd64";
  plan.host_traces.files = {{"/etc/resolv.conf", "nameserver 192.0.2.1\n", 0755}, {"/etc/fstab", "mine\n", 0600}};
  make_skeleton(*root, plan, {}, false);
  EXPECT_EQ(root->read("/etc/resolv.conf"), "nameserver 192.0.2.1\n");
  EXPECT_EQ(root->status("/etc/resolv.conf")->st_mode & 07777U, 0755U);
  EXPECT_EQ(root->read("/etc/fstab"), "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n");
}

TEST(RootSkeleton, WritesOptionsAsThePlanHasThem) {
  test::ScratchRoot root;
  BuildPlan plan;
  plan.apt_options = {"Acquire::Retries \"3\";\n", "// a file without a line end", "X \"y\";\n"};
  plan.dpkg_options = {"force-unsafe-io\n", "// a file"};
  make_skeleton(*root, plan, {}, false);
  EXPECT_EQ(root->read("/etc/apt/apt.conf.d/99mmdebstrap"),
            "Acquire::Retries \"3\";\n// a file without a line end\nX \"y\";\n");
  EXPECT_EQ(root->read("/etc/dpkg/dpkg.cfg.d/99mmdebstrap"), "force-unsafe-io\n// a file");
}

TEST(RootSkeleton, LacksWithoutAChrootWhatOnlyTheRootsDpkgNeeds) {
  test::ScratchRoot root;
  BuildPlan plan;
  make_skeleton(*root, plan, {}, true);
  EXPECT_EQ(root->list("/var/lib/dpkg"), (std::vector<std::string>{"arch", "status"}));
  EXPECT_FALSE(root->exists("/etc/dpkg"));
  EXPECT_TRUE(root->exists("/var/lib/apt/lists/partial"));
  plan.dpkg_options = {"force-unsafe-io\n"};
  make_skeleton(*root, plan, {}, true);
  EXPECT_EQ(root->read("/etc/dpkg/dpkg.cfg.d/99mmdebstrap"), "force-unsafe-io\n");
}

TEST(RootSkeleton, TakesItsSettingsAwayUnlessTheyAreToStay) {
  test::ScratchRoot root;
  BuildPlan plan;
  make_skeleton(*root, plan, {}, false);
  remove_build_settings(*root, {"cleanup/mmdebstrap"});
  EXPECT_EQ(root->list("/etc/apt/apt.conf.d"), (std::vector<std::string>{"00mmdebstrap", "99debconf"}));
  remove_build_settings(*root, {"cleanup/apt"});
  EXPECT_TRUE(root->list("/etc/apt/apt.conf.d").empty());
}

}  // namespace
}  // namespace debroot::build
