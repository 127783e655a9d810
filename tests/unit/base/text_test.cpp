#include "base/text.hpp"

#include <gtest/gtest.h>

namespace debroot::base {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(Text, TrimSplitAndJoin) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(split("a,,b,", ','), (Pieces{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (Pieces{""}));
  EXPECT_EQ(split_words("  a\t b\n"), (Pieces{"a", "b"}));
  EXPECT_EQ(split_words("a,b c", ", "), (Pieces{"a", "b", "c"}));
  EXPECT_TRUE(split_words(" \n").empty());
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, SentencesOfLibrariesLoseTheirCapital) {
  EXPECT_EQ(without_capital("No such file"), "no such file");
  EXPECT_EQ(without_capital("EOF"), "EOF");
  EXPECT_EQ(without_capital(""), "");
}

TEST(Text, NumbersAreWholeAndDecimal) {
  EXPECT_EQ(parse_number("0"), 0U);
  EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615U);
  for (const char *text : {"", "-1", "+1", "1 ", " 1", "0x1", "18446744073709551616", "1.0"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(Text, EditDistance) {
  EXPECT_EQ(edit_distance("bookworm", "bookworm", 3), 0U);
  EXPECT_EQ(edit_distance("bookwrom", "bookworm", 3), 1U);
  EXPECT_EQ(edit_distance("bokworm", "bookworm", 3), 1U);
  EXPECT_EQ(edit_distance("", "ab", 3), 2U);
  EXPECT_EQ(edit_distance("sid", "bookworm", 2), 3U);
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3U);
}

TEST(Text, GlobsCrossSlashesAsDpkgsDo) {
  EXPECT_TRUE(glob_match("/usr/share/*", "/usr/share/doc/x"));
  EXPECT_FALSE(glob_match("/usr/share/*", "/usr/share/doc/x", false));
  EXPECT_TRUE(glob_match("*.[ch]", "a.c"));
  EXPECT_TRUE(glob_match("a?c", "abc"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_TRUE(glob_match("a\\*", "a*"));
  EXPECT_FALSE(glob_match("a\\*", "ab"));
}

TEST(Text, CredentialsAreNeverShown) {
  EXPECT_EQ(without_credentials("http://user:pass@host/x@y"), "http://host/x@y");
  EXPECT_EQ(without_credentials("http://u@s:p@host"), "http://host");
  EXPECT_EQ(without_credentials("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(without_credentials("no url"), "no url");
}

TEST(Text, BytesAsPeopleReadThem) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.0 kB");
  EXPECT_EQ(human_bytes(9949), "9.9 kB");
  EXPECT_EQ(human_bytes(9950), "10 kB");
  EXPECT_EQ(human_bytes(999499), "999 kB");
  EXPECT_EQ(human_bytes(999500), "1.0 MB");
  EXPECT_EQ(human_bytes(8'400'000), "8.4 MB");
  EXPECT_EQ(human_bytes(5'000'000'000'000'000), "5000 TB");
}

TEST(Text, ShellWords) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(shell_words("  copy-in a\tb  "), (Words{"copy-in", "a", "b"}));
  EXPECT_EQ(shell_words(R"('a  b' "c d"e \f\ g '' "x\"y" 'n\n')"), (Words{"a  b", "c de", "f g", "", "x\"y", "n\\n"}));
  EXPECT_EQ(shell_words("$HOME *"), (Words{"$HOME", "*"}));
  EXPECT_EQ(shell_words("a 'b"), std::nullopt);
  EXPECT_EQ(shell_words(""), Words{});
}

}  // namespace
}  // namespace debroot::base
