/// When --mode=chrootless may run.
#include <gmock/gmock.h>

#include "plan/as_mmdebstrap.hpp"
#include "plan/make_plan.hpp"
#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

class Chrootless : public ::testing::Test {
 protected:
  Chrootless() {
    options_.suite = "bookworm";
    options_.outputs = {"out.tar"};
    options_.mode = "chrootless";
  }
  std::string refused() {
    return refusal([&] { static_cast<void>(make_plan(options_, host_)); });
  }

  ScratchDirectory directory_;
  HostFacts host_ = make_host(directory_.path());
  Options options_;
};

TEST_F(Chrootless, IsForOrdinaryUsers) {
  host_.user_id = 1000;
  BuildPlan plan = make_plan(options_, host_);
  EXPECT_EQ(plan.mode, Mode::chrootless);
  EXPECT_TRUE(plan.is_plain);
  EXPECT_EQ(plan.network, Network::none);
}

TEST_F(Chrootless, IsRefusedToRootWhoCouldDamageTheHost) {
  host_.user_id = 0;
  const char *text =
      "mode 'chrootless' could damage this system: it runs maintainer scripts as root outside of the image\n"
      "try: run it as an ordinary user, under fakeroot or inside a chroot; --skip=check/chrootless insists";
  EXPECT_EQ(refused(), text);
  host_.is_in_chroot = true;
  EXPECT_EQ(make_plan(options_, host_).mode, Mode::chrootless);
  host_.is_in_chroot = false;
  host_.environment["FAKEROOTKEY"] = "123";
  EXPECT_EQ(make_plan(options_, host_).mode, Mode::chrootless);
  host_.environment.erase("FAKEROOTKEY");
  options_.skips = {"check/chrootless"};
  EXPECT_EQ(make_plan(options_, host_).mode, Mode::chrootless);
}

TEST_F(Chrootless, HasNoCustomisations) {
  host_.user_id = 1000;
  options_.hostname = "box";
  EXPECT_EQ(refused(), "mode 'chrootless' runs nothing inside the image: '--hostname' cannot be used");
  options_.hostname.reset();
  options_.network = "networkd";
  EXPECT_EQ(refused(), "mode 'chrootless' runs nothing inside the image: '--network' cannot be used");
}

TEST_F(Chrootless, OptionsOfDpkgCountForDebrootAlone) {
  host_.user_id = 1000;
  options_.dpkg_options = {"path-exclude=/usr/share/doc/*"};
  EXPECT_TRUE(make_plan(options_, host_).obeys_dpkg_options);
  BuildPlan plan = make_plan_as_mmdebstrap(options_, host_);
  EXPECT_FALSE(plan.obeys_dpkg_options);
  EXPECT_EQ(plan.dpkg_options, std::vector<std::string>{"path-exclude=/usr/share/doc/*\n"});
  EXPECT_THAT(plan.warnings, testing::Contains("in mode chrootless options of dpkg do not count, they are only written "
                                               "to the image"));
  options_.variant = "extract";
  EXPECT_TRUE(make_plan_as_mmdebstrap(options_, host_).obeys_dpkg_options) << "mmdebstrap leaves files out itself";
}

TEST_F(Chrootless, OtherWrappersAreNotOffered) {
  host_.user_id = 1000;
  options_.mode = "fakechroot";
  EXPECT_EQ(refused(),
            "mode 'fakechroot' of mmdebstrap is not offered: debroot needs no such wrapper\n"
            "try: --mode=unshare makes the same image; where no user namespace is allowed, --mode=chrootless");
}

}  // namespace
}  // namespace debroot::plan
