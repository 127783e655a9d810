#include "debian/apt_config.hpp"

#include <gtest/gtest.h>

#include "support/thrown_error.hpp"

namespace debroot::debian {
namespace {

AptConfig parsed(std::string_view text) {
  AptConfig config;
  config.parse(text);
  return config;
}

std::string refusal(std::string_view text) {
  return test::thrown_by([&] { return parsed(text); });
}

TEST(AptConfig, FlatAndNestedOptionsAreTheSame) {
  for (const char *text : {"Acquire::Check-Valid-Until \"false\";", "Acquire::Check-Valid-Until false",
                           "acquire { check-valid-until \"false\"; };", "ACQUIRE\n{\n  Check-Valid-Until false;\n}",
                           "Acquire{Check-Valid-Until \"false\";};"}) {
    EXPECT_EQ(parsed(text).find("Acquire::Check-Valid-Until"), "false") << text;
  }
}

TEST(AptConfig, LaterTextsOverride) {
  AptConfig config = parsed("A::B \"1\"; A::C \"x\";");
  config.parse("A::B \"2\";");
  EXPECT_EQ(config.find("a::b"), "2");
  EXPECT_EQ(config.find("a::c"), "x");
  EXPECT_EQ(config.find("a"), std::nullopt);
}

TEST(AptConfig, Lists) {
  AptConfig config = parsed("A::B { \"one\"; \"two\"; };\nA::B:: \"three\";");
  EXPECT_EQ(config.list("a::b"), (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(config.list("a").empty());
}

TEST(AptConfig, DeeperBlocks) {
  AptConfig config = parsed("A { B { C \"1\"; D \"2\"; }; E \"3\"; };");
  EXPECT_EQ(config.find("A::B::C"), "1");
  EXPECT_EQ(config.find("A::B::D"), "2");
  EXPECT_EQ(config.find("A::E"), "3");
}

TEST(AptConfig, CommentsAreSkipped) {
  AptConfig config = parsed("// one\n# two\n/* A \"0\"; \n */ A /* in between */ \"1\"; // end\nB \"http://x/\";");
  EXPECT_EQ(config.find("A"), "1");
  EXPECT_EQ(config.find("B"), "http://x/");
  EXPECT_FALSE(parsed("/* never closed A \"1\";").find("A"));
}

TEST(AptConfig, Clear) {
  AptConfig config =
      parsed("A::B \"1\"; A::B::C \"2\"; A::Bx \"3\"; L { \"x\"; }; L::M { \"y\"; };\n#clear A::B;\n#clear L;");
  EXPECT_FALSE(config.find("A::B"));
  EXPECT_FALSE(config.find("A::B::C"));
  EXPECT_EQ(config.find("A::Bx"), "3");
  EXPECT_TRUE(config.list("L").empty());
  EXPECT_TRUE(config.list("L::M").empty());
}

TEST(AptConfig, Truth) {
  for (const char *word : {"yes", "TRUE", "with", "on", "enable", "1"}) {
    EXPECT_TRUE(parsed(std::string("A \"") + word + "\";").is_true("A", false)) << word;
  }
  for (const char *word : {"no", "False", "without", "off", "disable", "0"}) {
    EXPECT_FALSE(parsed(std::string("A \"") + word + "\";").is_true("A", true)) << word;
  }
  EXPECT_TRUE(parsed("A \"perhaps\";").is_true("A", true));
  EXPECT_FALSE(parsed("").is_true("A", false));
}

TEST(AptConfig, WhatCannotBeRead) {
  EXPECT_EQ(refusal("A \"open;\n"), "apt option has no closing quote: '\"open;\n'");
  EXPECT_EQ(refusal("A b c;"), "apt option 'A b c' has no value");
  EXPECT_EQ(refusal("A;"), "apt option 'A' has no value");
  EXPECT_EQ(refusal("{ A \"1\"; };"), "apt option block has no name");
}

}  // namespace
}  // namespace debroot::debian
