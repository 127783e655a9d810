#include "resolve/resolver.hpp"

#include <gmock/gmock.h>

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

TEST(Resolver, FollowsDependsAndPreDepends) {
  World world;
  world.add("a 1", "Pre-Depends: b\nDepends: c").add("b 1", "Depends: d").add("c 1").add("d 1").add("e 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +b_1_amd64 +c_1_amd64 +d_1_amd64");
}

TEST(Resolver, RecommendsOfAnInstalledPackageAreNotMadeGoodFor) {
  World world;
  world.policy.install_recommends = true;
  world.add("a 1", "Depends: lib").add("lib 1", "Recommends: extra").add("extra 1").installed("lib_1_amd64");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
}

TEST(Resolver, SaysWhatWasAskedForAndIsThereAlready) {
  World world;
  world.add("a 1", "Depends: b").add("b 1").add("c 1").installed("a_1_amd64").installed("b_1_amd64");
  auto selection = std::get<Selection>(world.ask({"a", "c"}));
  ASSERT_EQ(selection.already_installed.size(), 1U);
  EXPECT_EQ(world.index().at(selection.already_installed[0]).name, "a");
}

TEST(Resolver, TakesRecommendsOnlyWhenWanted) {
  World world;
  world.add("a 1", "Recommends: b, missing\nSuggests: c").add("b 1").add("c 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64");
  world.policy.install_recommends = true;
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +b_1_amd64");
}

TEST(Resolver, TakesTheFirstAlternative) {
  World world;
  world.add("a 1", "Depends: b | c").add("b 1").add("c 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +b_1_amd64");
}

TEST(Resolver, PrefersWhatIsInstalledOrRequestedToTheFirstAlternative) {
  World world;
  world.add("a 1", "Depends: b | c").add("b 1").add("c 1");
  EXPECT_EQ(world.choose({"a", "c"}), "a_1_amd64 c_1_amd64");
  EXPECT_EQ(world.installed("c_1_amd64").choose({"a"}), "a_1_amd64");
}

TEST(Resolver, BacksOutOfAnAlternativeWhoseNeedsCannotBeMet) {
  World world;
  world.add("a 1", "Depends: b | c")
      .add("b 1", "Depends: b2, b3")
      .add("b2 1")
      .add("b3 1", "Depends: missing")
      .add("c 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +c_1_amd64") << "b2 must not stay behind";
}

TEST(Resolver, AvoidsAnAlternativeThatConflictsWithARequest) {
  World world;
  world.add("a 1", "Depends: b | c").add("b 1", "Conflicts: x").add("c 1").add("x 1");
  EXPECT_EQ(world.choose({"a", "x"}), "a_1_amd64 +c_1_amd64 x_1_amd64");
}

TEST(Resolver, AvoidsAnAlternativeThatBreaksAnInstalledPackage) {
  World world;
  world.add("a 1", "Depends: b | c").add("b 1", "Breaks: x (<< 2)").add("c 1").add("x 1").installed("x_1_amd64");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +c_1_amd64");
}

TEST(Resolver, RepairsWhatALaterConflictTookAway) {
  // b is chosen for a first; then z, which needs c, finds that c conflicts with b.
  World world;
  world.add("a 1", "Depends: b | d").add("b 1").add("d 1").add("z 1", "Depends: c").add("c 1", "Conflicts: b");
  EXPECT_EQ(world.choose({"a", "z"}), "a_1_amd64 +c_1_amd64 +d_1_amd64 z_1_amd64");
}

TEST(Resolver, UnderstandsVersions) {
  World world;
  world.add("a 1", "Depends: b (>= 2), c (<< 2), d (= 1)").add("b 2").add("c 1.9").add("d 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +b_2_amd64 +c_1.9_amd64 +d_1_amd64");
}

TEST(Resolver, TakesTheHighestVersionAsCandidate) {
  World world;
  world.add("a 1.9").add("a 1.10").add("a 1.2");
  EXPECT_EQ(world.choose({"a"}), "a_1.10_amd64");
}

TEST(Resolver, PrefersARealPackageToProviders) {
  World world;
  world.add("p 1", "Provides: b\nPriority: required").add("a 1", "Depends: b").add("b 1", "Priority: extra");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +b_1_amd64");
}

TEST(Resolver, PrefersProvidersOfHigherPriorityAndThenTheLaterMentioned) {
  World world;
  world.add("p 1", "Provides: v")
      .add("q 1", "Provides: v")
      .add("r 1", "Provides: v\nPriority: standard")
      .add("a 1", "Depends: v");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +r_1_amd64");
  World equal;
  equal.add("x 1", "Suggests: q").add("p 1", "Provides: v").add("q 1", "Provides: v").add("a 1", "Depends: v");
  EXPECT_EQ(equal.choose({"a"}), "a_1_amd64 +p_1_amd64") << "q was met first, as a suggestion of x";
}

TEST(Resolver, OnlyAVersionedProvidesMeetsAVersionedRelation) {
  World world;
  world.add("p 9", "Provides: v").add("q 9", "Provides: v (= 1)").add("r 1", "Provides: v (= 3)");
  world.add("a 1", "Depends: v (>= 2)");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +r_1_amd64");
}

TEST(Resolver, APackageDoesNotConflictWithItsOwnProvides) {
  World world;
  world.add("p 1", "Provides: v\nConflicts: v").add("q 1", "Provides: v\nConflicts: v");
  EXPECT_EQ(world.choose({"p"}), "p_1_amd64");
  EXPECT_EQ(world.choose({"p", "q"}),
            "p_1_amd64 is requested\n"
            "└─ p_1_amd64 conflicts with q_1_amd64 (v)\n"
            "   └─ q_1_amd64 is requested\n"
            "q_1_amd64 is requested\n"
            "└─ q_1_amd64 conflicts with p_1_amd64 (v)\n"
            "   └─ p_1_amd64 is requested");
}

TEST(Resolver, NeverRemovesWhatIsInstalled) {
  World world;
  world.add("a 1", "Conflicts: x").add("x 1").installed("x_1_amd64");
  EXPECT_EQ(world.choose({"a"}),
            "a_1_amd64 is requested\n"
            "└─ a_1_amd64 conflicts with x_1_amd64 (x)\n"
            "   └─ x_1_amd64 is installed and stays");
}

TEST(Resolver, ReplacesAnInstalledVersionWhenAsked) {
  World world;
  world.add("a 1").add("b 1", "Depends: a (= 1)").add("a 2").add("b 2", "Depends: a (= 2)");
  world.installed("a_1_amd64").installed("b_1_amd64");
  EXPECT_EQ(world.choose({"a"}), "a_2_amd64 b_2_amd64") << "b must follow a, and stays as it was marked";
}

TEST(Resolver, LeavesOutWhatIsInstalledAlready) {
  World world;
  world.add("a 1", "Depends: b").add("b 1").installed("b_1_amd64");
  EXPECT_EQ(world.choose({"a", "b"}), "a_1_amd64");
  EXPECT_EQ(world.choose({}), "");
}

TEST(Resolver, ForeignPackagesMeetRelationsOfOtherArchitectures) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("a 1", "Depends: tool, lib").add("tool 1 arm64", "Multi-Arch: foreign").add("lib 1").add("lib 1 arm64");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +lib_1_amd64 +tool_1_arm64");
}

TEST(Resolver, AnyAsksForPackagesMarkedAllowed) {
  World world;
  world.add("a 1", "Depends: python:any").add("python 1", "Multi-Arch: allowed");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +python_1_amd64");
  World other;
  other.add("a 1", "Depends: python:any").add("python 1");
  EXPECT_EQ(other.choose({"a"}),
            "a_1_amd64 is requested\n"
            "└─ a_1_amd64 needs python:any\n"
            "   └─ python_1_amd64 is of the wrong architecture (stable/main)");
}

TEST(Resolver, PackagesOfOneNameExcludeEachOtherUnlessMarkedSame) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("lib 1", "Multi-Arch: same").add("lib 1 arm64", "Multi-Arch: same").add("app 1").add("app 1 arm64");
  EXPECT_EQ(world.choose({"lib", "lib:arm64"}), "lib_1_amd64 lib_1_arm64");
  EXPECT_THAT(world.choose({"app", "app:arm64"}), ::testing::HasSubstr("app_1_amd64 conflicts with app_1_arm64"));
}

TEST(Resolver, SameVersionsAreDemandedAcrossArchitectures) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("lib 2", "Multi-Arch: same").add("lib 1 arm64", "Multi-Arch: same");
  EXPECT_THAT(world.choose({"lib", "lib:arm64"}), ::testing::HasSubstr("conflicts with"));
}

TEST(Resolver, ExplainsWhereAChainBreaks) {
  World world;
  world.add("a 1", "Depends: b").add("b 1", "Depends: c (>= 2) | d, e").add("c 1").add("e 1");
  EXPECT_EQ(world.choose({"a"}),
            "a_1_amd64 is requested\n"
            "└─ a_1_amd64 needs b\n"
            "   └─ b_1_amd64 needs c (>= 2) | d\n"
            "      ├─ c_1_amd64 is too old (stable/main)\n"
            "      └─ d: no package of that name in the sources, and none that provides it");
}

TEST(Resolver, ExplainsAnExclusion) {
  World world;
  world.policy.excludes = {"b"};
  world.add("a 1", "Depends: b").add("b 1");
  Outcome outcome = world.ask({"a"});
  ASSERT_TRUE(std::holds_alternative<Unsatisfiable>(outcome));
  Error error = std::get<Unsatisfiable>(outcome).as_error();
  EXPECT_EQ(error.kind(), ErrorKind::unsatisfiable);
  EXPECT_EQ(error.message(), "cannot satisfy the requested packages");
  EXPECT_EQ(error.tree(),
            "a_1_amd64 is requested\n"
            "└─ a_1_amd64 needs b\n"
            "   └─ b_1_amd64 is excluded by --exclude");
  EXPECT_EQ(error.hint(), "leave out the --exclude, or do not request what needs the excluded package");
}

TEST(Resolver, HintsAtWhatIsMissing) {
  World world;
  world.add("a 1", "Depends: firmware");
  Outcome outcome = world.ask({"a"});
  ASSERT_TRUE(std::holds_alternative<Unsatisfiable>(outcome));
  EXPECT_EQ(std::get<Unsatisfiable>(outcome).hint, "add a suite or component that carries 'firmware'");
}

TEST(Resolver, AnExcludedAlternativeGivesWayToTheNext) {
  World world;
  world.policy.excludes = {"b"};
  world.add("a 1", "Depends: b | c").add("b 1").add("c 1");
  EXPECT_EQ(world.choose({"a"}), "a_1_amd64 +c_1_amd64");
}

TEST(Resolver, ARefusedPackageIsNotTaken) {
  World world;
  world.add("a 1", "Depends: b | c").add("b 1").add("c 1");
  EXPECT_EQ(world.choose({"a", "b-"}), "a_1_amd64 +c_1_amd64");
  world.installed("b_1_amd64");
  EXPECT_EQ(world.refuse({"a", "b-"}), "cannot leave out 'b': it is part of the essential set");
}

TEST(Resolver, ExplainsAConflictThroughNeeds) {
  World world;
  world.add("a 1", "Depends: a2").add("a2 1", "Conflicts: b2 (<< 2)").add("b 1", "Depends: b2").add("b2 1");
  EXPECT_EQ(world.choose({"a", "b"}),
            "a_1_amd64 is requested\n"
            "└─ a_1_amd64 needs a2_1_amd64\n"
            "   └─ a2_1_amd64 conflicts with b2_1_amd64 (b2 (<< 2))\n"
            "      └─ b2_1_amd64 is needed by b_1_amd64\n"
            "         └─ b_1_amd64 is requested");
}

TEST(Resolver, TellsWhyEachPackageIsThere) {
  World world;
  world.policy.install_recommends = true;
  world.add("base 1", "Essential: yes\nDepends: lib").add("lib 1");
  world.add("tool 1", "Priority: important").add("a 1", "Recommends: b").add("b 1");
  Outcome outcome = world.ask({"?essential", "?priority(important)", "a"});
  ASSERT_TRUE(std::holds_alternative<Selection>(outcome));
  std::vector<std::string> reasons;
  for (const Choice &choice : std::get<Selection>(outcome).choices) {
    reasons.push_back(std::string(world.index().at(choice.package).name) + ": " + choice.reason);
  }
  EXPECT_THAT(reasons, ::testing::UnorderedElementsAre("base: essential", "lib: needed by base_1_amd64",
                                                       "tool: priority important", "a: requested",
                                                       "b: recommended by a_1_amd64"));
}

TEST(Resolver, TakesPackagesGivenAsFiles) {
  World world;
  world.add("a 2").add("b 1").add("a 1", "Depends: b");
  Outcome outcome = Resolver(world.index(), world.policy).install({{}, world.refs({"a_1_amd64"})}, {});
  ASSERT_TRUE(std::holds_alternative<Selection>(outcome));
  EXPECT_EQ(std::get<Selection>(outcome).choices.size(), 2u);
}

TEST(Resolver, KnowsTheCandidateOfAName) {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("a 1").add("a 2 arm64").add("b 1 all");
  Resolver resolver(world.index(), world.policy);
  EXPECT_EQ(resolver.candidate("a", ""), world.refs({"a_1_amd64"})[0]);
  EXPECT_EQ(resolver.candidate("a", "arm64"), world.refs({"a_2_arm64"})[0]);
  EXPECT_EQ(resolver.candidate("b", "amd64"), world.refs({"b_1_all"})[0]);
  EXPECT_EQ(resolver.candidate("c", ""), std::nullopt);
  EXPECT_EQ(resolver.candidate("a", "i386"), std::nullopt);
}

TEST(Resolver, NamesThePackageWhoseRelationIsMalformed) {
  World world;
  world.add("a 1", "Depends: b (>= ");
  try {
    static_cast<void>(world.ask({"a"}));
    FAIL() << "accepted";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::index);
    EXPECT_THAT(error.frames(), ::testing::ElementsAre("reading Depends of 'a_1_amd64'"));
  }
}

}  // namespace
}  // namespace debroot::resolve::test
