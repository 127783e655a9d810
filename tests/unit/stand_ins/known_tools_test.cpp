#include "stand_ins/known_tools.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace debroot::stand_ins {
namespace {

TEST(KnownTools, AreFoundByPathAndDigest) {
  for (const KnownTool &tool : known_tools()) {
    EXPECT_EQ(find_known_tool(tool.path, tool.sha256, tool.companion_sha256), &tool) << tool.package;
    EXPECT_EQ(find_known_tool("/usr/bin/another", tool.sha256, tool.companion_sha256), nullptr);
    EXPECT_EQ(find_known_tool(tool.path, tool.sha256, "0"), nullptr);
  }
  EXPECT_EQ(find_known_tool("/usr/sbin/update-rc.d", "", ""), nullptr);
  EXPECT_EQ(find_known_tool("/usr/sbin/update-rc.d", std::string(64, '0'), ""), nullptr);
}

TEST(KnownTools, HaveWholeDigestsEachOnce) {
  std::set<std::string_view> digests;
  for (const KnownTool &tool : known_tools()) {
    EXPECT_EQ(tool.sha256.size(), 64U) << tool.package;
    EXPECT_EQ(tool.sha256.find_first_not_of("0123456789abcdef"), std::string_view::npos) << tool.package;
    EXPECT_TRUE(digests.insert(tool.sha256).second) << tool.package;
  }
}

TEST(KnownTools, AreAtPathsThatAreLookedAt) {
  for (const KnownTool &tool : known_tools()) {
    EXPECT_THAT(tool_places(), testing::Contains(testing::Field(&ToolPlace::path, tool.path))) << tool.package;
  }
}

TEST(KnownTools, HaveTheDigestOfTheirCompanion) {
  for (const KnownTool &tool : known_tools()) {
    for (const ToolPlace &place : tool_places()) {
      if (place.path != tool.path) continue;
      EXPECT_EQ(place.companion.empty(), tool.companion_sha256.empty()) << tool.package;
    }
  }
}

TEST(KnownTools, TellTheirDialectWhereVersionsDiffer) {
  for (const KnownTool &tool : known_tools()) {
    bool has_dialects = tool.path == "/usr/bin/deb-systemd-helper" || tool.path == "/usr/sbin/update-ca-certificates";
    EXPECT_EQ(tool.dialect != Dialect::unset, has_dialects) << tool.package;
  }
}

}  // namespace
}  // namespace debroot::stand_ins
