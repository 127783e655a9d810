#include "build/hook_context.hpp"

#include <gmock/gmock.h>

#include "support/scratch_root.hpp"

namespace debroot::build {
namespace {

BuildPlan plan_of_hooks() {
  BuildPlan plan;
  plan.suite = "bookworm";
  plan.architecture = "amd64";
  plan.includes = {"a", "/x,y%z.deb", "?or(a, b)"};
  plan.outputs = {{"x", Format::directory, Compression::none}};
  plan.verbosity = 2;
  return plan;
}

TEST(HookContext, TellsWhatMmdebstrapTells) {
  HookFacts facts{HookStage::extract, "unshare", "/t/mmdebstrap", "/t/root", {"/a.deb", "/b.deb"}};
  EXPECT_THAT(mmdebstrap_variables(plan_of_hooks(), facts),
              testing::UnorderedElementsAre(testing::StartsWith("MMDEBSTRAP_APT_CONFIG=/t/root/tmp/"),
                                            "MMDEBSTRAP_ARGV0=/t/mmdebstrap", "MMDEBSTRAP_MODE=unshare",
                                            "MMDEBSTRAP_HOOK=extract", "MMDEBSTRAP_HOOKSOCK=7",
                                            "MMDEBSTRAP_VERBOSITY=2", "MMDEBSTRAP_INCLUDE=a,/x%2Cy%25z.deb,?or(a%2C b)",
                                            "MMDEBSTRAP_FORMAT=directory", "MMDEBSTRAP_SUITE=bookworm",
                                            "container=mmdebstrap-unshare", "MMDEBSTRAP_ESSENTIAL=/a.deb /b.deb"));
  facts.stage = HookStage::customize;
  facts.mode = "root";
  BuildPlan plan = plan_of_hooks();
  plan.suite.clear();
  EXPECT_THAT(mmdebstrap_variables(plan, facts),
              testing::Not(testing::Contains(testing::AnyOf(testing::StartsWith("container="),
                                                            testing::StartsWith("MMDEBSTRAP_SUITE="),
                                                            testing::StartsWith("MMDEBSTRAP_ESSENTIAL=")))));
}

TEST(HookContext, AptConfigIsMmdebstraps) {
  test::ScratchRoot root;
  root->make_directories("/tmp");
  BuildPlan plan = plan_of_hooks();
  plan.keyrings = {"/keys.asc"};
  write_hook_apt_config(*root, "/t/root", plan);
  ASSERT_EQ(root->list("/tmp").size(), 1U);
  EXPECT_EQ(root->read("/tmp/" + root->list("/tmp")[0]),
            "Apt::Architecture \"amd64\";\n"
            "Apt::Architectures \"amd64\";\n"
            "Dir \"/t/root\";\n"
            "DPkg::Chroot-Directory \"/t/root\";\n"
            "Dir::State::Status \"/t/root/var/lib/dpkg/status\";\n"
            "Dir::Etc::Trusted \"/keys.asc\";\n"
            "Dir::Etc::TrustedParts \"/etc/apt/trusted.gpg.d/\";\n"
            "pkgCacheGen::ForceEssential \",\";\n");
  remove_hook_apt_config(*root, {"cleanup/mmdebstrap"});
  EXPECT_EQ(root->list("/tmp").size(), 1U);
  plan.foreign_architectures = {"i386", "arm64"};
  write_hook_apt_config(*root, "/t/root", plan);
  EXPECT_THAT(root->read("/tmp/" + root->list("/tmp")[0]),
              testing::HasSubstr("Apt::Architectures { \"amd64\"; \"i386\"; \"arm64\"; };\n"));
  remove_hook_apt_config(*root, {});
  EXPECT_TRUE(root->list("/tmp").empty());
}

}  // namespace
}  // namespace debroot::build
