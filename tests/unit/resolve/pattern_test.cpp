#include "resolve/pattern.hpp"

#include "world.hpp"

namespace debroot::resolve::test {
namespace {

World world_of_patterns() {
  World world;
  world.policy.foreign_architectures = {"arm64"};
  world.add("base 1", "Essential: yes\nPriority: required\nSection: admin");
  world.add("base 1 arm64", "Essential: yes\nPriority: required\nSection: admin");
  world.add("tool 1", "Priority: important\nSection: utils\nDepends: lib")
      .add("lib 1", "Priority: optional\nSource: libsource (3)");
  world.suite("testing").add("tool 2", "Priority: standard\nSection: utils\nDepends: lib");
  return world;
}

std::string select(const std::string &pattern) {
  World world = world_of_patterns();
  return world.choose({pattern});
}

TEST(Pattern, SelectsTheSetsOfABuild) {
  EXPECT_EQ(select("?narrow(?or(?archive(^stable$),?codename(^stable$)),?architecture(amd64),?essential)"),
            "base_1_amd64");
  EXPECT_EQ(select("?narrow(?archive(^stable$),?and(?or(?priority(required),?priority(important)),?not(?essential)))"),
            "+lib_1_amd64 tool_2_amd64")
      << "the pattern finds a version, the candidate is installed";
  EXPECT_EQ(select("?narrow(?archive(^testing$),?priority(important))"), "");
  EXPECT_EQ(select("?and(?archive(^testing$),?priority(important))"), "+lib_1_amd64 tool_2_amd64")
      << "without ?narrow the terms may hold for different versions";
}

TEST(Pattern, UnderstandsItsTerms) {
  EXPECT_EQ(select("?name(^li)"), "lib_1_amd64");
  EXPECT_EQ(select("?exact-name(lib)"), "lib_1_amd64");
  EXPECT_EQ(select("?x-name-fnmatch(l?b)"), "lib_1_amd64");
  EXPECT_EQ(select("?section(^admin$) ?architecture(native)"), "base_1_amd64");
  EXPECT_EQ(select("?section(^admin$) ?architecture(arm64)"), "base_1_arm64");
  EXPECT_EQ(select("?source-package(^libsource$)"), "lib_1_amd64");
  EXPECT_EQ(select("?source-version(^3$)"), "lib_1_amd64");
  EXPECT_EQ(select("?version(^2$)"), "+lib_1_amd64 tool_2_amd64");
  EXPECT_EQ(select("?depends(?exact-name(lib))"), "+lib_1_amd64 tool_2_amd64");
  EXPECT_EQ(select("?reverse-depends(?exact-name(tool)) ?architecture(amd64)"), "lib_1_amd64");
  EXPECT_EQ(select("?all-versions(?priority(standard))"), "");
  EXPECT_EQ(select("?any-version(?priority(standard))"), "+lib_1_amd64 tool_2_amd64");
  EXPECT_EQ(select("?origin(Debian) ?name(lib)"), "lib_1_amd64");
  EXPECT_EQ(select("?true ?false"), "");
}

TEST(Pattern, UnderstandsShortForms) {
  EXPECT_EQ(select("~E~ramd64"), "base_1_amd64");
  EXPECT_EQ(select("~nlib"), "lib_1_amd64");
  EXPECT_EQ(select("~n\"^lib$\""), "lib_1_amd64");
  EXPECT_EQ(select("~pstandard"), "+lib_1_amd64 tool_2_amd64");
  EXPECT_EQ(select("!~E !~ntool"), "lib_1_amd64");
  EXPECT_EQ(select("(~nlib | ~sadmin) ~ramd64"), "base_1_amd64 lib_1_amd64");
  EXPECT_EQ(select("~D~nlib"), "+lib_1_amd64 tool_2_amd64");
}

TEST(Pattern, KnowsWhatIsInstalled) {
  World world = world_of_patterns();
  world.installed("tool_1_amd64").installed("lib_1_amd64");
  EXPECT_EQ(world.choose({"~i"}), "tool_2_amd64");
  EXPECT_EQ(world.choose({"~U"}), "tool_2_amd64");
  EXPECT_EQ(world.choose({"!~i ~ramd64"}), "base_1_amd64");
}

TEST(Pattern, SaysWhatIsWrongAndWhere) {
  World world = world_of_patterns();
  EXPECT_EQ(world.refuse({"?foo(a)"}), "cannot read pattern '?foo(a)': unknown term '?foo' at character 1");
  EXPECT_EQ(world.refuse({"~Z"}), "cannot read pattern '~Z': unknown short term at character 1");
  EXPECT_EQ(world.refuse({"?name"}), "cannot read pattern '?name': '?name' needs an argument at character 6");
  EXPECT_EQ(world.refuse({"?true(a)"}),
            "cannot read pattern '?true(a)': '?true' does not take an argument at character 6");
  EXPECT_EQ(world.refuse({"?name(a"}), "cannot read pattern '?name(a': expected a closing parenthesis at character 8");
  EXPECT_EQ(world.refuse({"?name()"}), "cannot read pattern '?name()': expected a word at character 7");
  EXPECT_EQ(world.refuse({"?name(\"a)"}), "cannot read pattern '?name(\"a)': expected a closing quote at character 7");
  EXPECT_EQ(world.refuse({"?not(a)"}), "cannot read pattern '?not(a)': expected a pattern at character 6");
  EXPECT_EQ(world.refuse({"?true)"}), "cannot read pattern '?true)': unexpected text at character 6");
  EXPECT_EQ(world.refuse({"!"}), "cannot read pattern '!': expected a pattern at character 2");
  EXPECT_EQ(world.refuse({"(?true"}), "cannot read pattern '(?true': expected a closing parenthesis at character 7");
}

}  // namespace
}  // namespace debroot::resolve::test
