#include "debian/relation.hpp"

#include <gtest/gtest.h>

#include "support/thrown_error.hpp"

namespace debroot::debian {
namespace {

using test::thrown_by;

TEST(ParseRelations, ReadsEveryPart) {
  auto groups = parse_relations("libc6 (>= 2.36), exim4 | mail-transport-agent,\n python3:any (<< 3.12) , perl:amd64");
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0], (OrGroup{{"libc6", "", VersionTest::later_or_equal, "2.36"}}));
  EXPECT_EQ(groups[1],
            (OrGroup{{"exim4", "", VersionTest::any, ""}, {"mail-transport-agent", "", VersionTest::any, ""}}));
  EXPECT_EQ(groups[2], (OrGroup{{"python3", "any", VersionTest::earlier, "3.12"}}));
  EXPECT_EQ(groups[3], (OrGroup{{"perl", "amd64", VersionTest::any, ""}}));
}

TEST(ParseRelations, EveryOperatorWithAndWithoutBlanks) {
  auto test_of = [](std::string_view text) { return parse_relations(text).at(0).at(0).test; };
  EXPECT_EQ(test_of("a (<< 1)"), VersionTest::earlier);
  EXPECT_EQ(test_of("a (<= 1)"), VersionTest::earlier_or_equal);
  EXPECT_EQ(test_of("a(= 1)"), VersionTest::equal);
  EXPECT_EQ(test_of("a (1)"), VersionTest::equal);
  EXPECT_EQ(test_of("a (>=1)"), VersionTest::later_or_equal);
  EXPECT_EQ(test_of("a ( >> 1 )"), VersionTest::later);
  EXPECT_EQ(test_of("a (< 1)"), VersionTest::earlier_or_equal);
  EXPECT_EQ(test_of("a (> 1)"), VersionTest::later_or_equal);
}

TEST(ParseRelations, RestrictionsOfSourcePackagesAreDropped) {
  EXPECT_EQ(to_string(parse_relations("a [amd64 !i386] <!nocheck>, b (>= 1) [arm64], c <cross>")), "a, b (>= 1), c");
}

TEST(ParseRelations, NothingIsNoRelation) {
  EXPECT_TRUE(parse_relations("").empty());
  EXPECT_TRUE(parse_relations(" \n ").empty());
  EXPECT_EQ(parse_relations("a, , b,").size(), 2u);
}

TEST(ParseRelations, WhatIsNoRelationIsNamed) {
  auto refusal = [](std::string_view text) { return thrown_by([&] { return parse_relations(text); }); };
  ErrorKind kind{};
  EXPECT_EQ(thrown_by([] { return parse_relations("a (>= 1"); }, &kind), "'a (>= 1' is no package relation");
  EXPECT_EQ(kind, ErrorKind::index);
  EXPECT_EQ(refusal("a b"), "'a b' is no package relation");
  EXPECT_EQ(refusal("a (>=)"), "'a (>=)' is no package relation");
  EXPECT_EQ(refusal("a (=> 1)"), "'a (=> 1)' is no package relation");
  EXPECT_EQ(refusal("a | | b"), "'' is no package relation");
  EXPECT_EQ(refusal("(>= 1)"), "'(>= 1)' is no package relation");
}

TEST(RelationToString, IsDpkgsSpelling) {
  EXPECT_EQ(to_string(parse_relations("a(>=1)|b:any  ,c")), "a (>= 1) | b:any, c");
  EXPECT_EQ(to_string(std::vector<OrGroup>{}), "");
}

}  // namespace
}  // namespace debroot::debian
