#include "debian/version.hpp"

#include <gtest/gtest.h>
#include <stdio.h>

#include <memory>
#include <random>
#include <string>

#include "base/fd.hpp"

namespace debroot::debian {
namespace {

char sign(std::strong_ordering order) { return order < 0 ? '<' : order > 0 ? '>' : '='; }

struct Case {
  const char *a;
  char order;
  const char *b;
};

class CompareVersions : public testing::TestWithParam<Case> {};

TEST_P(CompareVersions, OrdersBothWays) {
  const Case &c = GetParam();
  char mirrored = c.order == '<' ? '>' : c.order == '>' ? '<' : '=';
  EXPECT_EQ(sign(compare_versions(c.a, c.b)), c.order) << c.a << " " << c.b;
  EXPECT_EQ(sign(compare_versions(c.b, c.a)), mirrored) << c.b << " " << c.a;
}

INSTANTIATE_TEST_SUITE_P(Policy, CompareVersions,
                         testing::Values(Case{"1.0", '=', "1.0"}, Case{"1.0", '<', "1.1"}, Case{"1.9", '<', "1.10"},
                                         Case{"1.0~rc1", '<', "1.0"}, Case{"1.0~~", '<', "1.0~"},
                                         Case{"1.0~~a", '<', "1.0~"}, Case{"1.0", '<', "1.0a"},
                                         Case{"1.0a", '<', "1.0+"}, Case{"1.0-1", '<', "1.0-1.1"},
                                         Case{"1.0", '=', "1.0-0"}, Case{"1.0", '<', "1.0-1"},
                                         Case{"0:1.0", '=', "1.0"}, Case{"1:0.1", '>', "9"}, Case{"10:1", '>', "9:2"},
                                         Case{"1.01", '=', "1.1"}, Case{"1.0-1~bpo1", '<', "1.0-1"},
                                         Case{"1.2-3-4", '>', "1.2-3"}, Case{"2.36-9+deb12u10", '>', "2.36-9+deb12u9"},
                                         Case{"1.0-1+b2", '>', "1.0-1"}, Case{"a", '>', "1"}, Case{"1.a", '<', "1.+"},
                                         Case{"1.0.0", '>', "1.0"}, Case{"", '<', "1"},
                                         Case{"99999999999999999999", '<', "100000000000000000000"}));

TEST(VersionSatisfies, EachTest) {
  EXPECT_TRUE(version_satisfies("1.0", VersionTest::any, ""));
  EXPECT_TRUE(version_satisfies("1.0", VersionTest::earlier, "1.1"));
  EXPECT_FALSE(version_satisfies("1.1", VersionTest::earlier, "1.1"));
  EXPECT_TRUE(version_satisfies("1.1", VersionTest::earlier_or_equal, "1.1"));
  EXPECT_TRUE(version_satisfies("1.1-0", VersionTest::equal, "1.1"));
  EXPECT_FALSE(version_satisfies("1.1", VersionTest::equal, "1.2"));
  EXPECT_TRUE(version_satisfies("1.1", VersionTest::later_or_equal, "1.1"));
  EXPECT_FALSE(version_satisfies("1.0", VersionTest::later_or_equal, "1.1"));
  EXPECT_TRUE(version_satisfies("1:0", VersionTest::later, "9"));
  EXPECT_FALSE(version_satisfies("9", VersionTest::later, "9"));
}

TEST(VersionTestSymbol, AllOfThem) {
  EXPECT_EQ(version_test_symbol(VersionTest::any), "");
  EXPECT_EQ(version_test_symbol(VersionTest::earlier), "<<");
  EXPECT_EQ(version_test_symbol(VersionTest::earlier_or_equal), "<=");
  EXPECT_EQ(version_test_symbol(VersionTest::equal), "=");
  EXPECT_EQ(version_test_symbol(VersionTest::later_or_equal), ">=");
  EXPECT_EQ(version_test_symbol(VersionTest::later), ">>");
}

TEST(WithoutEpoch, CutsTheFirstColonOnly) {
  EXPECT_EQ(without_epoch("2:1.0-1"), "1.0-1");
  EXPECT_EQ(without_epoch("1.0-1"), "1.0-1");
  EXPECT_EQ(without_epoch("1:2:3"), "2:3");
}

/// A version as dpkg accepts them, over few letters so that many pairs are close.
std::string random_version(std::mt19937 &random) {
  constexpr std::string_view kUpstream = "0019aZ.+~-";
  constexpr std::string_view kRevision = "0019bY.+~";
  auto pick = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
  std::string out;
  if (pick(4) == 0) out += std::to_string(pick(3)) + ":";
  out += static_cast<char>('0' + pick(3));
  for (std::size_t i = pick(5); i > 0; --i) out += kUpstream[pick(kUpstream.size())];
  bool has_dash = out.find('-') != std::string::npos;
  if (has_dash || pick(2) == 0) {
    out += '-';
    for (std::size_t i = pick(3) + 1; i > 0; --i) out += kRevision[pick(kRevision.size())];
  }
  return out;
}

struct PipeCloser {
  void operator()(FILE *pipe) const noexcept { ::pclose(pipe); }
};

/// What a shell command prints.
std::string output_of(const std::string &command) {
  std::unique_ptr<FILE, PipeCloser> pipe(::popen(command.c_str(), "r"));
  return pipe ? base::read_all(::fileno(pipe.get())) : std::string();
}

TEST(CompareVersionsDifferential, AgreesWithDpkg) {
  if (output_of("command -v dpkg").empty()) GTEST_SKIP() << "there is no dpkg here to compare with";
  std::mt19937 random(20200101);
  // each triple is "a,operator,b" with our answer; one shell asks dpkg about all and prints what it denies
  std::string script = "exec 2>&1; set -f\nfor t in";
  for (int i = 0; i < 300; ++i) {
    std::string a = random_version(random);
    std::string b = random_version(random);
    char order = sign(compare_versions(a, b));
    script += " " + a + (order == '<' ? ",lt," : order == '>' ? ",gt," : ",eq,") + b;
  }
  script += "\ndo IFS=,; set -- $t; dpkg --compare-versions \"$1\" \"$2\" \"$3\" || echo \"$t\"; done; echo done";
  EXPECT_EQ(output_of(script), "done\n");
}

}  // namespace
}  // namespace debroot::debian
