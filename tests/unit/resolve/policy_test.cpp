#include "resolve/policy.hpp"

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

std::string refusal(const std::string &preferences) {
  try {
    static_cast<void>(parse_preferences(preferences, "/etc/apt/preferences"));
    return "accepted";
  } catch (const Error &error) {
    return error.message();
  }
}

World two_suites() {
  World world;
  world.add("a 1").suite("testing").add("a 2");
  return world;
}

TEST(Policy, ADefaultReleaseIsPreferred) {
  World world = two_suites();
  EXPECT_EQ(world.choose({"a"}), "a_2_amd64");
  world.policy.default_release = "stable";
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  world.policy.default_release = "stable-codename";
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  world.policy.default_release = "a=stable";
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  world.policy.default_release = "sid";
  EXPECT_EQ(world.refuse({"a"}), "no source belongs to APT::Default-Release 'sid'");
}

TEST(Policy, SuitesThatAreNotAutomaticComeLast) {
  World world;
  world.add("a 1")
      .suite("backports", true, true)
      .add("a 2")
      .add("b 1")
      .suite("experimental", true)
      .add("a 3")
      .add("b 2");
  EXPECT_EQ(world.choose({"a", "b"}), "a_1_amd64 b_1_amd64");
}

TEST(Policy, AnInstalledVersionIsNotLoweredBelowPriority1000) {
  World world = two_suites();
  world.installed("a_2_amd64");
  world.policy.preferences = parse_preferences("Package: *\nPin: release a=stable\nPin-Priority: 999\n", "test");
  EXPECT_EQ(world.choose({"a"}), "");
  world.policy.preferences = parse_preferences("Package: *\nPin: release a=stable\nPin-Priority: 1000\n", "test");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
}

TEST(Policy, PinsOfPackagesWinOverPinsOfReleases) {
  World world = two_suites();
  world.policy.preferences = parse_preferences(
      "# a comment\n"
      "Package: *\nPin: release n=stable-codename, o=Debian\nPin-Priority: 900\n"
      "\n"
      "Package: other a*\nPin: version 2*\nPin-Priority: 600\n"
      "\n"
      "Package: a\nPin: version 1\nPin-Priority: 100\n",
      "test");
  EXPECT_EQ(world.choose({"a"}), "a_2_amd64");
}

TEST(Policy, PinsByOriginAndNever) {
  World world = two_suites();
  world.policy.preferences =
      parse_preferences("Package: *\nPin: origin \"stable.example.org\"\nPin-Priority: 600\n", "test");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  world.policy.preferences = parse_preferences("Package: *\nPin: release testing\nPin-Priority: never\n", "test");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
}

TEST(Policy, PinsBySourcePackageAndExpression) {
  World world;
  world.add("a 1", "Source: origin (1-1)")
      .add("a 2", "Source: origin")
      .suite("testing")
      .add("b 2")
      .suite("stable")
      .add("b 1");
  world.policy.preferences = parse_preferences(
      "Package: src:origin\nPin: version 1\nPin-Priority: 700\n\nPackage: /^b$/\nPin: release stable\nPin-Priority: "
      "700\n",
      "test");
  EXPECT_EQ(world.choose({"a", "b"}), "a_1_amd64 b_1_amd64");
}

TEST(Policy, RefusesMalformedPreferences) {
  EXPECT_EQ(refusal("Pin: release stable\nPin-Priority: 1\n"),
            "cannot read preferences '/etc/apt/preferences': a stanza has no Package field");
  EXPECT_EQ(refusal("Package: a\nPin: moon full\nPin-Priority: 1\n"),
            "cannot read preferences '/etc/apt/preferences': unknown pin type 'moon'");
  EXPECT_EQ(refusal("Package: a\nPin: version 1\nPin-Priority: 0\n"),
            "cannot read preferences '/etc/apt/preferences': '0' is no pin priority");
  EXPECT_EQ(refusal("Package: a\nPin: version 1\nPin-Priority: 40000\n"),
            "cannot read preferences '/etc/apt/preferences': '40000' is no pin priority");
  EXPECT_EQ(refusal("Package: a\nPin: version 1\nPin-Priority: -10\n"), "accepted");
}

}  // namespace
}  // namespace debroot::resolve::test
