#include "unpack/path_filter.hpp"

#include <gtest/gtest.h>

namespace debroot::unpack {
namespace {

using deb::EntryKind;

bool skips(const PathFilter &filter, const std::string &path, EntryKind kind = EntryKind::file) {
  deb::Entry entry;
  entry.path = path;
  entry.kind = kind;
  return filter.skips(entry);
}

TEST(PathFilter, TheLastRuleThatMatchesWins) {
  PathFilter filter;
  EXPECT_FALSE(skips(filter, "/usr/share/doc/x"));
  filter.exclude("/usr/share/doc/*");
  filter.include("/usr/share/doc/*/copyright");
  EXPECT_TRUE(skips(filter, "/usr/share/doc/p/changelog"));
  EXPECT_FALSE(skips(filter, "/usr/share/doc/p/copyright"));
  EXPECT_FALSE(skips(filter, "/usr/share/man/x"));
  EXPECT_FALSE(skips(filter, "/"));
  filter.exclude("/usr/share/doc/secret/*");
  EXPECT_TRUE(skips(filter, "/usr/share/doc/secret/copyright"));
}

TEST(PathFilter, DirectoriesAndLinksThatAnIncludeMayNeedStay) {
  PathFilter filter;
  filter.exclude("/usr/share/*");
  filter.include("/usr/share/doc/*/copyright");
  for (EntryKind kind : {EntryKind::directory, EntryKind::symlink}) {
    EXPECT_FALSE(skips(filter, "/usr/share/doc", kind));
    EXPECT_FALSE(skips(filter, "/usr/share/doc/p", kind));
    EXPECT_FALSE(skips(filter, "/usr/share/doc/p/examples", kind));  // dpkg keeps more than is needed
    EXPECT_TRUE(skips(filter, "/usr/share/man", kind));
  }
  EXPECT_TRUE(skips(filter, "/usr/share/doc/p", EntryKind::hard_link));
}

TEST(PathFilter, RulesOfDpkgConfiguration) {
  PathFilter filter;
  read_path_rules(
      "# path-exclude=/etc/a\nforce-unsafe-io\npath-exclude=/a/*\n  path-exclude /b/*\npath-exclude = /c/*\n"
      "path-include=\"/a/x\"\npath-exclude='/d/*'\nlog=/e\n",
      filter);
  for (const char *path : {"/a/y", "/b/y", "/c/y", "/d/y"}) EXPECT_TRUE(skips(filter, path)) << path;
  for (const char *path : {"/a/x", "/e", "/etc/a"}) EXPECT_FALSE(skips(filter, path)) << path;
  PathFilter none;
  read_path_rules("path-exclude\n\nno-debsig\n", none);
  EXPECT_TRUE(none.is_empty());
}

}  // namespace
}  // namespace debroot::unpack
