#include "resolve/request.hpp"

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

TEST(Request, TakesAVersion) {
  World world;
  world.add("a 2").add("a 1").add("a 1.5");
  EXPECT_EQ(world.choose({"a=1"}), "a_1_amd64");
  EXPECT_EQ(world.choose({"a=1.*"}), "a_1.5_amd64");
  EXPECT_EQ(world.choose({"a=newest"}), "a_2_amd64");
  EXPECT_EQ(world.refuse({"a=3"}),
            "package 'a' has no version '3'; expected: a_2_amd64; expected: a_1.5_amd64; expected: a_1_amd64");
}

TEST(Request, TakesAReleaseByArchiveOrCodename) {
  World world;
  world.add("a 1").suite("backports", true, true).add("a 2");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  EXPECT_EQ(world.choose({"a/backports"}), "a_2_amd64");
  EXPECT_EQ(world.choose({"a/backports-codename"}), "a_2_amd64");
  EXPECT_EQ(world.refuse({"a/sid"}), "release 'sid' has no package 'a'");
}

TEST(Request, AReleaseAlsoCountsForWhatThePackageNeedsOfIt) {
  World world;
  world.add("a 1").add("lib 1").suite("backports", true, true).add("a 2", "Depends: lib (>= 2), other").add("lib 2");
  world.add("other 2").suite("stable").add("other 1");
  EXPECT_EQ(world.choose({"a/backports"}), "a_2_amd64 +lib_2_amd64 +other_1_amd64");
}

TEST(Request, AReleaseStaysChosenWhereSomethingFurtherDownIsOpen) {
  World world;
  world.add("a 1").add("lib 1").add("other 1", "Depends: more").add("more 1");
  world.suite("backports", true, true).add("a 2", "Depends: lib (>= 2)").add("lib 2", "Depends: other");
  EXPECT_EQ(world.choose({"a/backports"}), "a_2_amd64 +lib_2_amd64 +more_1_amd64 +other_1_amd64");
}

TEST(Request, ReadsSignsOnlyWhenTheWholeIsNoName) {
  World world;
  world.add("g++ 1").add("g 1");
  EXPECT_EQ(world.choose({"g++"}), "g++_1_amd64");
  EXPECT_EQ(world.choose({"g+"}), "g_1_amd64");
}

TEST(Request, TakesGlobsAndRegularExpressions) {
  World world;
  world.add("lib-a 1").add("lib-b 1").add("other 1");
  EXPECT_EQ(world.choose({"lib-*"}), "lib-a_1_amd64 lib-b_1_amd64");
  EXPECT_EQ(world.choose({"^lib-[ab]$"}), "lib-a_1_amd64 lib-b_1_amd64");
  EXPECT_EQ(world.refuse({"none-*"}), "no package matches 'none-*'");
  EXPECT_EQ(world.refuse({"^lib-[a"}), "'^lib-[a' is no regular expression: Unmatched [, [^, [:, [., or [=");
}

TEST(Request, GlobsTakeTheOnlyProviderOfAVirtualName) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("one 1", "Provides: api-1").add("a 1", "Provides: many-x").add("b 1", "Provides: many-x");
  world.add("far 1 arm64", "Provides: api-far");
  EXPECT_EQ(world.choose({"api-*"}), "far_1_arm64 one_1_amd64");
  EXPECT_EQ(world.choose({"^api-[0-9]"}), "one_1_amd64");
  EXPECT_EQ(world.choose({"many-*"}), "") << "which of them is not for a glob to say";
}

TEST(Request, WhatIsNoPatternMayBeAGlob) {
  World world;
  world.add("lib-a 1");
  EXPECT_EQ(world.choose({"?ib-a"}), "lib-a_1_amd64");
  EXPECT_EQ(world.refuse({"?ib-b"}), "cannot read pattern '?ib-b': unknown term '?ib-b' at character 1");
}

TEST(Request, TakesArchitectures) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("a 1").add("a 1 arm64").add("only 1 arm64");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  EXPECT_EQ(world.choose({"a:arm64"}), "a_1_arm64");
  EXPECT_EQ(world.choose({"a:native"}), "a_1_amd64");
  EXPECT_EQ(world.choose({"only"}), "only_1_arm64");
  EXPECT_EQ(world.refuse({"only:amd64"}), "cannot find package 'only:amd64'");
}

TEST(Request, ProposesNamesThatLookAlike) {
  World world;
  world.add("dbus 1").add("bus 1").add("systemd 1");
  EXPECT_EQ(world.refuse({"dbuss"}), "cannot find package 'dbuss'; try: did you mean 'dbus'?");
  EXPECT_EQ(world.refuse({"sytsemd=1"}),
            "cannot find package 'sytsemd'; needed by: request 'sytsemd=1'; try: did you mean 'systemd'?");
  EXPECT_EQ(world.refuse({"firefox"}), "cannot find package 'firefox'");
}

TEST(Request, AVirtualPackageStandsForItsOnlyProvider) {
  World world;
  world.add("p 1", "Provides: mta, editor").add("q 1", "Provides: editor");
  EXPECT_EQ(world.choose({"mta"}), "p_1_amd64");
  EXPECT_EQ(world.refuse({"editor"}),
            "package 'editor' is virtual: several packages provide it; expected: p_1_amd64; expected: q_1_amd64; "
            "try: request one of them by its own name");
  world.policy.excludes = {"p"};
  EXPECT_EQ(world.refuse({"mta"}), "package 'mta' is virtual: nothing that provides it may be installed");
}

TEST(Request, StandInsAreThoseOfTheArchitectureAskedFor) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("p 1", "Provides: kernel").add("q 1 arm64", "Provides: kernel").add("doc 1 all", "Multi-Arch: foreign");
  EXPECT_EQ(world.choose({"kernel"}), "p_1_amd64");
  EXPECT_EQ(world.choose({"kernel:arm64"}), "q_1_arm64");
  EXPECT_EQ(world.choose({"doc:arm64"}), "doc_1_all");
}

TEST(Request, RefusesWhatIsExcluded) {
  World world;
  world.add("a 1").add("ab 1");
  world.policy.excludes = {"a"};
  EXPECT_EQ(world.refuse({"a"}), "package 'a' is both requested and excluded");
  EXPECT_EQ(world.choose({"a*"}), "ab_1_amd64") << "a glob only leaves it out";
  EXPECT_EQ(world.choose({"?name(a)"}), "ab_1_amd64");
}

TEST(Request, RefusesWhatIsPinnedAway) {
  World world;
  world.add("a 1");
  world.policy.preferences = parse_preferences("Package: a\nPin: version *\nPin-Priority: -1\n", "test");
  EXPECT_EQ(world.refuse({"a"}), "no version of package 'a' may be installed: all are pinned away");
}

TEST(Request, TheOnlyProviderStandsForWhatIsPinnedAway) {
  World world;
  world.add("a 1").add("b 1", "Provides: a").add("c 1");
  world.policy.preferences = parse_preferences("Package: a\nPin: version *\nPin-Priority: -1\n", "test");
  EXPECT_EQ(world.choose({"a"}), "b_1_amd64");
  World crowded;
  crowded.policy.preferences = world.policy.preferences;
  crowded.add("a 1").add("b 1", "Provides: a").add("d 1", "Provides: a");
  EXPECT_EQ(crowded.refuse({"a"}), "no version of package 'a' may be installed: all are pinned away");
}

TEST(Request, IgnoresBlankAndRepeatedItems) {
  World world;
  world.add("a 1");
  EXPECT_EQ(world.choose({"", "a", " ", "a"}), "a_1_amd64");
}

}  // namespace
}  // namespace debroot::resolve::test
