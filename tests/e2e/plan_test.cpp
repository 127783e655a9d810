/// `debroot plan`: what it prints is what build installs.

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Plan : World {
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    add(package("parent").depends("hello, child").field("Priority", "important"));
    add(package("child", "2.0-1"));
  }
  std::string planned(std::vector<std::string> more) {
    Command line = build_command(here(), more);
    line.argv[1] = "plan";
    Finished finished = finish(here(), line);
    EXPECT_EQ(finished.status, 0);
    EXPECT_EQ(finished.err, "");
    return finished.out;
  }
};

TEST_F(Plan, TextIsATable) {
  EXPECT_EQ(normal(planned({"--plain"})),
            "PACKAGE     VERSION  ARCH     SIZE  ARCHIVE                           REASON\n"
            "base-files  1.0      ARCH  1.2 kB  MIRROR tiny/main  essential\n"
            "shell       1.0      ARCH  1.1 MB  MIRROR tiny/main  essential\n"
            "apt         1.0      ARCH   772 B  MIRROR tiny/main  requested\n"
            "hello       1.0      ARCH   804 B  MIRROR tiny/main  needed by parent_1.0_ARCH\n"
            "child       2.0-1    ARCH   640 B  MIRROR tiny/main  needed by parent_1.0_ARCH\n"
            "parent      1.0      ARCH   660 B  MIRROR tiny/main  priority important\n"
            "\n"
            "tiny ARCH (important): 6 packages, 1.1 MB\n");
}

TEST_F(Plan, JsonNamesEveryPackageThatBuildInstalls) {
  auto json = nlohmann::json::parse(planned({"--plain", "--json"}));
  std::string status = read_tar(image({"--plain"}))["/var/lib/dpkg/status"].content;
  std::vector<std::string> installed;
  for (std::string_view line : base::split(status, '\n')) {
    if (line.starts_with("Package: ")) installed.emplace_back(line.substr(9));
  }
  std::vector<std::string> names;
  for (const auto &one : json["packages"]) {
    names.push_back(one["name"]);
    EXPECT_EQ(one["sha256"].get<std::string>().size(), 64U);
    EXPECT_GT(one["size"].get<int>(), 0);
    EXPECT_FALSE(one["pool_path"].get<std::string>().empty());
    EXPECT_FALSE(one["archive"].get<std::string>().empty());
    EXPECT_TRUE(one["automatic"].is_boolean() && one["reason"].is_string());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(installed));
  EXPECT_EQ(json["source_date_epoch"], kReleaseDate);
}

TEST_F(Plan, LeavesNothingBehind) {
  planned({"--plain", "-o", "x.tar"});
  EXPECT_THAT(names_in(here().out()), testing::IsEmpty());
}

TEST_F(Plan, SimulationOfABuildIsItsPlan) {
  std::string text = planned({"--plain"});
  Finished finished = build({"--plain", "--simulate"});
  EXPECT_EQ(finished.status, 0);
  EXPECT_EQ(finished.out, "");  // which is for images only
  EXPECT_EQ(finished.err, text);
  EXPECT_THAT(names_in(here().out()), testing::IsEmpty());
}

}  // namespace
}  // namespace debroot::e2e
