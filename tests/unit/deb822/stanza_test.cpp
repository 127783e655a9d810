#include "deb822/stanza.hpp"

#include <gtest/gtest.h>

#include "support/thrown_error.hpp"

namespace debroot::deb822 {
namespace {

using test::thrown_by;

TEST(StanzaView, FindsFieldsWithoutRegardToCase) {
  StanzaView view("Package: bash\nPre-Depends:libc6\nVERSION:\t5.2 \n");
  EXPECT_EQ(view.get("package"), "bash");
  EXPECT_EQ(view.get("Pre-Depends"), "libc6");
  EXPECT_EQ(view.get("Version"), "5.2");
  EXPECT_EQ(view.get("Depends"), "");
  EXPECT_FALSE(view.find("Depends").has_value());
}

TEST(StanzaView, AnEmptyFieldIsThere) {
  EXPECT_TRUE(StanzaView("Tag:\nPackage: a\n").find("Tag").has_value());
  EXPECT_EQ(StanzaView("Tag:\nPackage: a\n").get("Tag"), "");
}

TEST(StanzaView, AFoldedValueKeepsItsLines) {
  StanzaView view("Conffiles:\n /etc/a 1\n /etc/b 2\nDescription: short\n long\n .\n\tmore\n");
  EXPECT_EQ(view.get("Conffiles"), "/etc/a 1\n /etc/b 2");
  EXPECT_EQ(view.get("Description"), "short\n long\n .\n\tmore");
}

TEST(StanzaView, ContinuationsAndCommentsAreNoFields) {
  StanzaView view("#Package: no\nDescription: x\n Package: no\nPackage: yes\n");
  EXPECT_EQ(view.get("Package"), "yes");
}

TEST(StanzaView, ALastLineWithoutEndCounts) { EXPECT_EQ(StanzaView("A: 1\nB: 2").get("B"), "2"); }

TEST(StanzaReader, WalksStanzasAcrossBlankLines) {
  StanzaReader reader("\n\nA: 1\nB: 2\n\n\nA: 3\n \t\nA: 4\r\n\r\nA: 5");
  for (const char *expected : {"1", "3", "4", "5"}) {
    auto view = reader.next();
    ASSERT_TRUE(view.has_value()) << expected;
    EXPECT_EQ(view->get("A"), expected);
  }
  EXPECT_FALSE(reader.next().has_value());
}

TEST(StanzaReader, TextIsTheStanzaWithoutTheBlankLine) {
  StanzaReader reader("A: 1\n b\n\nA: 2\n");
  EXPECT_EQ(reader.next()->text(), "A: 1\n b\n");
  EXPECT_EQ(reader.next()->text(), "A: 2\n");
}

TEST(StanzaReader, CommentsAloneAreNoStanza) {
  StanzaReader reader("# written by hand\n\n# more\nA: 1\n# inside\nB: 2\n\n# end\n");
  auto view = reader.next();
  ASSERT_TRUE(view.has_value());
  EXPECT_EQ(view->text(), "A: 1\n# inside\nB: 2\n");
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_FALSE(StanzaReader("").next().has_value());
  EXPECT_FALSE(StanzaReader("\n \n").next().has_value());
}

TEST(Stanza, ParsesAndWritesTheSameText) {
  const std::string text =
      "Package: a\nConffiles:\n /etc/a 1\n /etc/b 2\nEmpty:\nDescription: short\n long\n .\n end\n";
  Stanza stanza = Stanza::parse(text);
  EXPECT_EQ(stanza.str(), text);
  EXPECT_EQ(*stanza.find("Conffiles"), "\n /etc/a 1\n /etc/b 2");
  EXPECT_EQ(stanza.fields().size(), 4u);
}

TEST(Stanza, KeepsBlanksAtTheEndOfAValueButDoesNotGiveThem) {
  // dpkg writes the summary of libgdbm6 back into its database with the blank that its author left there
  std::string text = "Package: a\nDescription: ends in a blank \n and goes on\t\n";
  Stanza stanza = Stanza::parse(text);
  EXPECT_EQ(stanza.str(), text);
  EXPECT_EQ(stanza.get("Description"), "ends in a blank \n and goes on");
}

TEST(Stanza, SetReplacesInPlaceAndRemoveTakesAway) {
  Stanza stanza = Stanza::parse("A: 1\nB: 2\n");
  stanza.set("a", "3");
  stanza.set("C", "4");
  stanza.remove("b");
  EXPECT_EQ(stanza.str(), "A: 3\nC: 4\n");
  EXPECT_EQ(stanza.find("B"), nullptr);
  EXPECT_EQ(stanza.get("B"), "");
}

TEST(Stanza, BlankLinesAroundAndCommentsAreDropped) {
  EXPECT_EQ(Stanza::parse("\n# c\nA: 1\n#x\n b\n\n \n").str(), "A: 1\n b\n");
  EXPECT_EQ(Stanza::parse("").fields().size(), 0u);
}

TEST(Stanza, WhatIsNoFieldIsNamed) {
  ErrorKind kind{};
  EXPECT_EQ(thrown_by([] { return Stanza::parse("A: 1\nrubbish\n"); }, &kind), "line 2 is no field: 'rubbish'");
  EXPECT_EQ(kind, ErrorKind::index);
  EXPECT_EQ(thrown_by([] { return Stanza::parse(": x\n"); }), "line 1 is no field: ': x'");
  EXPECT_EQ(thrown_by([] { return Stanza::parse(" x\n"); }), "line 1 continues no field");
  EXPECT_EQ(thrown_by([] { return Stanza::parse("A: 1\n\nA: 2\n"); }), "line 3 begins a second stanza");
}

TEST(SameField, FoldsOnlyAscii) {
  EXPECT_TRUE(same_field("SHA256", "sha256"));
  EXPECT_FALSE(same_field("Size", "Sizes"));
  EXPECT_FALSE(same_field("A[", "a{"));
}

}  // namespace
}  // namespace debroot::deb822
