#include "plan/sources_text.hpp"

#include <gmock/gmock.h>

#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<SourceEntry> lines(const std::string &text) {
  return parse_sources(SourcesStyle::one_line, text, "corp.list", "arm64");
}
std::vector<SourceEntry> stanzas(const std::string &text) {
  return parse_sources(SourcesStyle::deb822, text, "corp.sources", "arm64");
}

TEST(OneLine, ReadsEveryPart) {
  auto entries = lines(
      "# comment\n\n"
      "deb [arch=amd64,arm64 signed-by=\"/k e y.gpg\" trusted=yes check-valid-until=no lang=de] "
      "https://example.org/debian/ bookworm main contrib # why\n"
      "deb-src http://example.org/debian bookworm main\n");
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].archive_root, "https://example.org/debian");
  EXPECT_EQ(entries[0].suite, "bookworm");
  EXPECT_THAT(entries[0].components, ElementsAre("main", "contrib"));
  EXPECT_EQ(entries[0].signed_by, "/k e y.gpg");
  EXPECT_THAT(entries[0].architectures, ElementsAre("amd64", "arm64"));
  EXPECT_TRUE(entries[0].is_trusted);
  EXPECT_EQ(entries[0].check_valid_until, false);
}

TEST(OneLine, LeavesUnsetOptionsToThePlan) {
  auto entries = lines("deb http://example.org/debian sid main");
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_FALSE(entries[0].is_trusted);
  EXPECT_EQ(entries[0].check_valid_until, std::nullopt);
  EXPECT_THAT(entries[0].architectures, IsEmpty());
}

TEST(OneLine, TakesFlatAndLocalArchives) {
  auto entries = lines("deb file:/srv/repo ./\ndeb copy:///srv/two $(ARCH)/\n");
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].archive_root, "file:///srv/repo");
  EXPECT_EQ(entries[0].suite, "./");
  EXPECT_THAT(entries[0].components, IsEmpty());
  EXPECT_EQ(entries[1].archive_root, "copy:///srv/two");
  EXPECT_EQ(entries[1].suite, "arm64/");
}

TEST(OneLine, NamesTheLineItRefuses) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"deb", "no archive root is named"},
      {"dbe http://a.org/d sid main", "a line must begin with 'deb' or 'deb-src'"},
      {"deb http://a.org/d", "no suite is named"},
      {"deb http://a.org/d sid", "no component is named"},
      {"deb http://a.org/d ./ main", "a suite that ends in '/' takes no components"},
      {"deb [arch=amd64 http://a.org/d sid main", "the option 'http://a.org/d' has no value"},
      {"deb [arch=amd64", "the options have no closing ']'"},
      {"deb [arch-=amd64] http://a.org/d sid main",
       "the option 'arch-' is not supported, list the architectures with 'arch'"},
      {"deb ftp://a.org/d sid main", "the archive root must be an http, https, file or copy URI"},
      {"deb http:// sid main", "the archive root names no host or path"},
      {"deb file:srv sid main", "a local archive needs an absolute path"},
  };
  for (const auto &[line, cause] : cases) {
    EXPECT_EQ(refusal([&] { (void)lines("# first\n" + line + "\n"); }),
              "cannot use source 'corp.list:2': " + cause + "\ngot: " + line);
  }
}

TEST(OneLine, KeepsPasswordsOutOfErrors) {
  EXPECT_EQ(refusal([] { (void)lines("deb\n"); }),
            "cannot use source 'corp.list:1': no archive root is named\ngot: deb");
  EXPECT_THAT(refusal([] { (void)lines("deb http://joe:secret@a.org/d sid"); }),
              ::testing::Not(::testing::HasSubstr("secret")));
}

TEST(Deb822, MultipliesUrisAndSuites) {
  auto entries = stanzas(
      "# comment\nTypes: deb deb-src\nURIs: http://a.org/d https://b.org/d\nSuites: sid\n experimental\n"
      "Components: main\nArchitectures: amd64 arm64\nSigned-By: /k.gpg\nTrusted: yes\nCheck-Valid-Until: no\n\n\n"
      "Types: deb-src\nURIs: http://a.org/d\nSuites: sid\nComponents: main\n\n"
      "Enabled: no\nTypes: deb\nURIs: http://c.org/d\nSuites: sid\nComponents: main\n");
  ASSERT_THAT(entries, SizeIs(4));
  EXPECT_EQ(entries[1].archive_root, "http://a.org/d");
  EXPECT_EQ(entries[1].suite, "experimental");
  EXPECT_EQ(entries[2].archive_root, "https://b.org/d");
  EXPECT_THAT(entries[2].components, ElementsAre("main"));
  EXPECT_THAT(entries[3].architectures, ElementsAre("amd64", "arm64"));
  EXPECT_EQ(entries[3].signed_by, "/k.gpg");
  EXPECT_TRUE(entries[3].is_trusted);
  EXPECT_EQ(entries[3].check_valid_until, false);
}

TEST(Deb822, UnfoldsAKey) {
  auto entries = stanzas(
      "Types: deb\nURIs: http://a.org/d\nSuites: sid\nComponents: main\nSigned-By:\n"
      " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----\n");
  ASSERT_THAT(entries, SizeIs(1));
  EXPECT_EQ(entries[0].signed_by,
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----\n");
}

TEST(Deb822, NamesTheStanzaItRefuses) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"URIs: http://a.org/d", "the stanza has no field 'Types'"},
      {"Types: rpm", "'rpm' is no type of source"},
      {"Types: deb", "the stanza has no field 'URIs'"},
      {"Types: deb\nURIs: http://a.org/d", "the stanza has no field 'Suites'"},
      {"Types: deb\nURIs: http://a.org/d\nSuites: sid", "no component is named"},
      {"Types: deb\nnonsense", "line 2 is no field: 'nonsense'"},
  };
  for (const auto &[stanza, cause] : cases) {
    EXPECT_EQ(refusal([&] {
                (void)stanzas("Types: deb\nURIs: http://a.org/d\nSuites: sid\nComponents: main\n\n" + stanza + "\n");
              }),
              "cannot use source 'corp.sources:6': " + cause + "\ngot: " + stanza.substr(0, stanza.find('\n')));
  }
}

TEST(GuessStyle, LooksAtTheFirstLineThatSaysSomething) {
  EXPECT_EQ(guess_style("# x\n\n deb http://a.org d main", "x"), SourcesStyle::one_line);
  EXPECT_EQ(guess_style("# x\nTypes: deb\n", "x"), SourcesStyle::deb822);
  EXPECT_EQ(guess_style("# x\n\n", "x"), SourcesStyle::empty);
  EXPECT_EQ(refusal([] { (void)guess_style("\nhello world\n", "corp.txt"); }),
            "cannot use source 'corp.txt:2': this begins neither a 'deb' line nor a stanza\ngot: hello world");
}

TEST(SourcesText, IsWrittenWithoutCredentials) {
  SourceEntry entry;
  entry.archive_root = "https://joe:secret@a.org/d";
  entry.suite = "sid";
  entry.components = {"main", "contrib"};
  EXPECT_EQ(one_line_text({entry}), "deb https://a.org/d sid main contrib\n");
  entry.check_valid_until = false;
  EXPECT_EQ(one_line_text({entry}), "deb [check-valid-until=no] https://a.org/d sid main contrib\n");
  EXPECT_EQ(text_without_credentials("URIs: http://j:s@a.org/d\n  \"http://k:t@b.org\" x\n"),
            "URIs: http://a.org/d\n  \"http://b.org\" x\n");
}

}  // namespace
}  // namespace debroot::plan
