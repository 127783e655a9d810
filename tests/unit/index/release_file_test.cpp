#include "index/release_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/archive_builder.hpp"
#include "support/thrown_error.hpp"
#include "verify/signature.hpp"

namespace debroot::index {
namespace {

using test::thrown_by;
using testing::ElementsAre;

constexpr std::string_view kSubject = "http://deb.example.org/debian bookworm";
const std::string kDigest(64, 'a');

base::VerifiedBytes verified(std::string text) {
  return std::move(verify::accept_unsigned(base::UntrustedBytes(std::move(text))).text);
}

ReleaseFile parse(std::string text) { return parse_release(verified(std::move(text)), kSubject); }

/// A Release of a healthy suite with one file.
ReleaseFile release_of(const test::SuiteSettings &settings) {
  return parse(test::make_release(settings, settings.components, settings.architectures, {{"main/x", "content"}}));
}

TEST(ParseRelease, ReadsTheFields) {
  test::SuiteSettings settings;
  settings.suite = "oldstable";
  settings.codename = "bookworm";
  settings.version = "12.11";
  settings.valid_until = "Sat, 11 Jan 2020 00:00:00 UTC";
  settings.is_not_automatic = true;
  settings.is_but_automatic_upgrades = true;
  settings.components = {"main", "contrib"};
  settings.architectures = {"amd64", "arm64"};
  ReleaseFile release = release_of(settings);
  EXPECT_EQ(release.origin, "Debian");
  EXPECT_EQ(release.label, "Debian");
  EXPECT_EQ(release.suite, "oldstable");
  EXPECT_EQ(release.codename, "bookworm");
  EXPECT_EQ(release.version, "12.11");
  EXPECT_EQ(release.date_text, "Wed, 01 Jan 2020 00:00:00 UTC");
  EXPECT_EQ(release.date, 1577836800);
  EXPECT_EQ(release.valid_until_text, "Sat, 11 Jan 2020 00:00:00 UTC");
  EXPECT_EQ(release.valid_until, 1577836800 + 10 * 86400);
  EXPECT_THAT(release.components, ElementsAre("main", "contrib"));
  EXPECT_THAT(release.architectures, ElementsAre("amd64", "arm64"));
  EXPECT_TRUE(release.has_by_hash);
  EXPECT_TRUE(release.is_not_automatic);
  EXPECT_TRUE(release.is_but_automatic_upgrades);
  EXPECT_TRUE(release.has_all_in_every_index);
  ASSERT_EQ(release.files.size(), 1u);
  EXPECT_EQ(release.files.at("main/x").size_bytes, 7u);
}

TEST(ParseRelease, AbsentFieldsAreEmpty) {
  ReleaseFile release = parse("SHA256:\n " + kDigest + " 1 Packages\n");
  EXPECT_EQ(release.suite, "");
  EXPECT_FALSE(release.date.has_value());
  EXPECT_FALSE(release.valid_until.has_value());
  EXPECT_FALSE(release.has_by_hash);
  EXPECT_FALSE(release.has_all_in_every_index);
  EXPECT_TRUE(release.components.empty());
}

TEST(ParseRelease, OnlyTheFirstStanzaCounts) { EXPECT_EQ(parse("Suite: a\nSHA256:\n\nCodename: b\n").codename, ""); }

TEST(ParseRelease, PathsLoseTheirDotAndDigestsTheirCase) {
  ReleaseFile release = parse("SHA256:\n " + std::string(64, 'A') + "\t12 ./Packages\n");
  EXPECT_EQ(release.files.at("Packages").sha256, kDigest);
}

TEST(ParseRelease, OtherDigestsAreNotLookedAt) {
  ErrorKind kind{};
  EXPECT_EQ(thrown_by([] { return parse("Suite: x\nMD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 Packages\n"); }, &kind),
            "cannot read Release of 'http://deb.example.org/debian bookworm': it has no SHA256 table");
  EXPECT_EQ(kind, ErrorKind::index);
  EXPECT_THAT(thrown_by([] { return parse(""); }), testing::EndsWith("it has no SHA256 table"));
}

TEST(ParseRelease, BadTableLinesAreNamed) {
  auto cause = [](const std::string &line) {
    std::string text = thrown_by([&] { return parse("SHA256:\n " + line + "\n"); });
    return text.substr(text.find("': ") + 3);
  };
  for (const std::string &line : {kDigest + " 12", kDigest + " x Packages", std::string("abc 12 Packages"),
                                  std::string(63, 'a') + "g 12 Packages", kDigest + " 12 ../Packages",
                                  kDigest + " 12 /etc/passwd", kDigest + " 12 a/../b", kDigest + " -1 a"}) {
    EXPECT_EQ(cause(line), "'" + line + "' is no line of a digest table");
  }
}

TEST(ParseRelease, BadDatesAreNamed) {
  EXPECT_EQ(thrown_by([] { return parse("Date: tomorrow\nSHA256:\n"); }),
            "cannot read Release of 'http://deb.example.org/debian bookworm': 'tomorrow' of field Date is no date");
  EXPECT_THAT(thrown_by([] { return parse("Valid-Until: soon\nSHA256:\n"); }),
              testing::EndsWith("'soon' of field Valid-Until is no date"));
}

TEST(ParseDate, ReadsTheFormsThatOccur) {
  EXPECT_EQ(parse_date("Sat, 11 Jul 2026 10:16:37 UTC"), 1783764997);
  EXPECT_EQ(parse_date("Sat, 11 Jul 2026 10:16:37 GMT"), 1783764997);
  EXPECT_EQ(parse_date("Sat, 11 Jul 2026 12:16:37 +0200"), 1783764997);
  EXPECT_EQ(parse_date("11 Jul 2026 05:46:37 -0430"), 1783764997);
  EXPECT_EQ(parse_date("Thu,  1 Jan 1970 0:00:00 Z"), 0);
  EXPECT_EQ(parse_date("Wed, 31 Dec 1969 23:59 UTC"), -60);
  EXPECT_EQ(parse_date("Thu, 29 Feb 2024 00:00:00 +0000"), 1709164800);
  EXPECT_EQ(parse_date("Tue, 29 Feb 2000 23:59:60 UTC"), 951868800);
  EXPECT_EQ(parse_date("Fri, 01 Jan 2100 00:00:00 UTC"), 4102444800);
}

TEST(ParseDate, RefusesTheRest) {
  for (const char *text :
       {"", "Sat", "Sat, 11 Jul 2026 10:16:37", "Sat, 11 Juli 2026 10:16:37 UTC", "Sat, 31 Jun 2026 10:16:37 UTC",
        "Sat, 29 Feb 2023 10:16:37 UTC", "Sat, 11 Jul 26 10:16:37 UTC", "Sat, 11 Jul 2026 24:16:37 UTC",
        "Sat, 11 Jul 2026 10:60:37 UTC", "Sat, 11 Jul 2026 101637 UTC", "Sat, 11 Jul 2026 10:16:37 CEST",
        "Sat, 11 Jul 2026 10:16:37 +02", "Sat, 11 Jul 2026 10:16:37 UTC x", "Sam, 11 Jul 2026 10:16:37 UTC",
        "Sat, Sat, 11 Jul 2026 10:16:37 UTC", "Sat, 0 Jul 2026 10:16:37 UTC", "2026-07-11T10:16:37Z"}) {
    EXPECT_FALSE(parse_date(text).has_value()) << text;
  }
}

class CheckRelease : public testing::Test {
 protected:
  CheckRelease() {
    release_.suite = "oldstable";
    release_.codename = "bookworm";
    release_.components = {"main", "updates/contrib"};
    release_.architectures = {"amd64", "arm64", "all"};
  }
  std::string refusal(std::string_view requested, const std::vector<std::string> &components = {},
                      const std::vector<std::string> &architectures = {}, ErrorKind *kind = nullptr) const {
    return thrown_by(
        [&] {
          check_release(release_, requested, components, architectures, kSubject);
          return 0;
        },
        kind);
  }
  ReleaseFile release_;
};

TEST_F(CheckRelease, SuiteOrCodenameWillDo) {
  for (const char *requested : {"bookworm", "oldstable", "bookworm/updates", "oldstable/updates", "./", "sub/"}) {
    EXPECT_EQ(refusal(requested), "nothing was thrown") << requested;
  }
}

TEST_F(CheckRelease, AnotherSuiteIsRefused) {
  ErrorKind kind{};
  EXPECT_EQ(refusal("trixie", {}, {}, &kind),
            "Release of 'http://deb.example.org/debian bookworm' is of another suite\n"
            "  expected: suite or codename 'trixie'\n"
            "  got: suite 'oldstable', codename 'bookworm'\n"
            "  try: request the suite as 'bookworm'");
  EXPECT_EQ(kind, ErrorKind::trust);
  EXPECT_NE(refusal("bookworm-security"), "nothing was thrown");
  EXPECT_NE(refusal("bookwor"), "nothing was thrown");
}

TEST_F(CheckRelease, SuitesWithTwoPartsAreComparedWhole) {
  release_.suite = "oldstable-security";
  release_.codename = "bookworm-security";
  EXPECT_EQ(refusal("bookworm-security"), "nothing was thrown");
  EXPECT_EQ(refusal("oldstable-security"), "nothing was thrown");
  EXPECT_NE(refusal("bookworm"), "nothing was thrown");
}

TEST_F(CheckRelease, ExceptionsThatAptMakesToo) {
  release_.suite = "experimental";
  release_.codename = "rc-buggy";
  EXPECT_EQ(refusal("../project/experimental"), "nothing was thrown");
  release_.suite = release_.codename = "plucky";
  EXPECT_NE(refusal("devel"), "nothing was thrown");
  release_.origin = "Ubuntu";
  EXPECT_EQ(refusal("devel"), "nothing was thrown");
  EXPECT_EQ(refusal("devel-updates"), "nothing was thrown");
  EXPECT_NE(refusal("noble"), "nothing was thrown");
  release_.suite = release_.codename = "";
  EXPECT_EQ(refusal("noble"), "nothing was thrown");
}

TEST_F(CheckRelease, ComponentsMustBeListed) {
  EXPECT_EQ(refusal("bookworm", {"main", "contrib"}), "nothing was thrown");
  EXPECT_EQ(refusal("bookworm", {"updates/contrib"}), "nothing was thrown");
  ErrorKind kind{};
  EXPECT_EQ(refusal("bookworm", {"main", "non-free"}, {}, &kind),
            "suite 'http://deb.example.org/debian bookworm' has no component 'non-free'\n"
            "  expected: one of main, updates/contrib");
  EXPECT_EQ(kind, ErrorKind::index);
  release_.components.clear();
  EXPECT_EQ(refusal("bookworm", {"non-free"}), "nothing was thrown");
}

TEST_F(CheckRelease, ArchitecturesMustBeListed) {
  EXPECT_EQ(refusal("bookworm", {}, {"amd64", "arm64"}), "nothing was thrown");
  EXPECT_EQ(refusal("bookworm", {}, {"amd64", "riscv64"}),
            "suite 'http://deb.example.org/debian bookworm' has no architecture 'riscv64'\n"
            "  expected: one of amd64, arm64, all");
  release_.architectures.clear();
  EXPECT_EQ(refusal("bookworm", {}, {"riscv64"}), "nothing was thrown");
}

class CheckFreshness : public testing::Test {
 protected:
  static constexpr std::int64_t kDate = 1577836800;
  CheckFreshness() {
    release_.date_text = "Wed, 01 Jan 2020 00:00:00 UTC";
    release_.date = kDate;
    release_.valid_until_text = "Wed, 08 Jan 2020 00:00:00 UTC";
    release_.valid_until = kDate + 7 * 86400;
  }
  std::string refusal(std::int64_t now, const FreshnessPolicy &policy = {}, ErrorKind *kind = nullptr) const {
    return thrown_by(
        [&] {
          check_freshness(release_, now, policy, "http://u:p@deb.example.org/debian bookworm-updates");
          return 0;
        },
        kind);
  }
  ReleaseFile release_;
};

TEST_F(CheckFreshness, WithinItsTimeAReleaseIsFine) {
  EXPECT_EQ(refusal(kDate), "nothing was thrown");
  EXPECT_EQ(refusal(kDate + 7 * 86400), "nothing was thrown");
  release_.valid_until.reset();
  EXPECT_EQ(refusal(kDate + 700 * 86400), "nothing was thrown");
}

TEST_F(CheckFreshness, AnExpiredReleaseIsRefused) {
  ErrorKind kind{};
  EXPECT_EQ(refusal(kDate + 7 * 86400 + 1, {}, &kind),
            "Release of 'http://deb.example.org/debian bookworm-updates' has expired: it was valid until "
            "Wed, 08 Jan 2020 00:00:00 UTC\n"
            "  try: --aptopt 'Acquire::Check-Valid-Until \"false\"'");
  EXPECT_EQ(kind, ErrorKind::trust);
  EXPECT_EQ(refusal(kDate + 8 * 86400, {.check_valid_until = false}), "nothing was thrown");
  EXPECT_EQ(refusal(kDate + 8 * 86400, {.check_date = false}), "nothing was thrown");
}

TEST_F(CheckFreshness, AReleaseFromTheFutureIsRefused) {
  ErrorKind kind{};
  EXPECT_EQ(refusal(kDate - 11, {}, &kind),
            "Release of 'http://deb.example.org/debian bookworm-updates' is not valid yet: it is dated "
            "Wed, 01 Jan 2020 00:00:00 UTC, 11 seconds ahead\n"
            "  try: set the clock, or --aptopt 'Acquire::Check-Date \"false\"'");
  EXPECT_EQ(kind, ErrorKind::trust);
  EXPECT_EQ(refusal(kDate - 10), "nothing was thrown");
  EXPECT_EQ(refusal(kDate - 60, {.max_future_seconds = 60}), "nothing was thrown");
  EXPECT_EQ(refusal(kDate - 11, {.check_date = false}), "nothing was thrown");
}

TEST_F(CheckFreshness, UserLimitsShortenAndLengthen) {
  EXPECT_THAT(refusal(kDate + 101, {.max_valid_seconds = 100}),
              testing::HasSubstr("it was valid until 100 seconds after Wed, 01 Jan 2020 00:00:00 UTC"));
  EXPECT_EQ(refusal(kDate + 100, {.max_valid_seconds = 100}), "nothing was thrown");
  EXPECT_EQ(refusal(kDate + 9 * 86400, {.min_valid_seconds = 10 * 86400}), "nothing was thrown");
  EXPECT_NE(refusal(kDate + 11 * 86400, {.min_valid_seconds = 10 * 86400}), "nothing was thrown");
  release_.valid_until.reset();
  EXPECT_NE(refusal(kDate + 101, {.max_valid_seconds = 100}), "nothing was thrown");
  EXPECT_EQ(refusal(kDate + 900 * 86400, {.min_valid_seconds = 100}), "nothing was thrown");
}

}  // namespace
}  // namespace debroot::index
