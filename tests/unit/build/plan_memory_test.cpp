#include "build/plan_memory.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>

namespace debroot::build {
namespace {

namespace fs = std::filesystem;

struct PlanMemoryTest : ::testing::Test {
  PlanMemoryTest() : directory(fs::canonical(fs::temp_directory_path()).string() + "/plan-memory.XXXXXX") {
    if (::mkdtemp(directory.data()) == nullptr) ADD_FAILURE() << "cannot make a directory";
  }
  ~PlanMemoryTest() override { fs::remove_all(directory); }

  [[nodiscard]] BuildPlan plan() const {
    BuildPlan out;
    out.suite = "sid";
    out.architecture = "amd64";
    out.cache.directory = directory;
    return out;
  }
  static ArchiveIndexes opened() {
    ArchiveIndexes out;
    out.releases = {{"http://deb.debian.org/debian/dists/sid/InRelease", "sid", "sid", "today", "digest"}};
    SourceEntry entry;
    entry.archive_root = "http://deb.debian.org/debian";
    entry.suite = "sid";
    entry.components = {"main"};
    out.sources = {{"/etc/apt/sources.list", "deb …", {entry}}};
    return out;
  }
  static SelectedPackages selected() {
    SelectedPackages out;
    out.plan.packages = {{{"a", "1", "amd64"}, "digest of a", 10, 20, false}};
    out.plan.first = {0};
    out.plan.runs = {{RunKind::configure_pending, {}}};
    out.plan.dpkg_version = "1.22";
    out.reported = {{{"a", "1", "amd64"}, true, 10, "digest of a", "pool/a.deb", "an archive", "essential"}};
    out.downloads = {{"http://deb.debian.org/debian/pool/a.deb", "digest of a", 10, 0, false, false, "a list"}};
    out.refs = {3};
    return out;
  }
  std::string directory;
};

TEST_F(PlanMemoryTest, GivesWhatWasChosenFromTheSameIndexes) {
  BuildPlan wishes = plan();
  PlanMemory first(wishes, "");
  EXPECT_FALSE(first.recall(opened()));
  EXPECT_FALSE(first.take());
  first.remember(opened(), selected());
  PlanMemory second(wishes, "");
  ASSERT_TRUE(second.recall(opened()));
  SelectedPackages known = second.take().value();
  EXPECT_EQ(known.plan.packages[0].id.name, "a");
  EXPECT_EQ(known.plan.packages[0].sha256, "digest of a");
  EXPECT_EQ(known.plan.runs[0].kind, RunKind::configure_pending);
  EXPECT_EQ(known.plan.dpkg_version, "1.22");
  EXPECT_TRUE(known.reported[0].is_automatic);
  EXPECT_EQ(known.reported[0].reason, "essential");
  EXPECT_EQ(known.downloads[0].url, "http://deb.debian.org/debian/pool/a.deb");
  EXPECT_EQ(known.downloads[0].purpose, "a list");
  EXPECT_THAT(known.refs, ::testing::IsEmpty());
  EXPECT_FALSE(second.take());
}

TEST_F(PlanMemoryTest, RemembersNothingThatLacksTwins) {
  BuildPlan wishes = plan();
  PlanMemory first(wishes, "amd64");
  EXPECT_FALSE(first.recall(opened()));
  ArchiveIndexes indexes = opened();
  indexes.lacks_twins = true;
  first.remember(indexes, selected());
  EXPECT_FALSE(PlanMemory(wishes, "amd64").recall(opened()));
}

TEST_F(PlanMemoryTest, HasAKeyForEverythingThatHasASay) {
  struct Inputs {
    BuildPlan plan;
    ArchiveIndexes opened;
    std::string twins;
    std::string program = "0.1.0 abc";
  };
  std::vector<std::function<void(Inputs &)>> changes = {
      [](Inputs &) {},
      [](Inputs &all) { all.plan.suite = "trixie"; },
      [](Inputs &all) { all.plan.architecture = "arm64"; },
      [](Inputs &all) { all.plan.foreign_architectures = {"i386"}; },
      [](Inputs &all) { all.plan.variant = Variant::standard; },
      [](Inputs &all) { all.plan.includes = {"a"}; },
      [](Inputs &all) { all.plan.excludes = {"a"}; },
      [](Inputs &all) { all.plan.hook_packages = {"a"}; },
      [](Inputs &all) { all.plan.apt_options = {"a"}; },
      [](Inputs &all) { all.plan.is_plain = true; },
      [](Inputs &all) { all.plan.network = Network::ifupdown; },
      [](Inputs &all) { all.opened.releases[0].sha256 = "another"; },
      [](Inputs &all) { all.opened.sources[0].entries[0].components = {"contrib"}; },
      [](Inputs &all) { all.opened.sources[0].entries[0].architectures = {"i386"}; },
      [](Inputs &all) { all.opened.sources[0].entries[0].archive_root = "http://localhost"; },
      [](Inputs &all) { all.twins = "amd64"; },
      [](Inputs &all) { all.program = "0.1.0 abd"; },
  };
  std::set<std::string> keys;
  for (const auto &change : changes) {
    Inputs all{plan(), opened(), ""};
    change(all);
    keys.insert(plan_key(all.plan, all.opened, all.twins, all.program));
  }
  EXPECT_EQ(keys.size(), changes.size());
  Inputs same{plan(), opened(), ""};
  same.plan.hooks = {{HookStage::customize, "true"}};
  same.plan.hostname = "web";
  same.plan.jobs = 9;
  EXPECT_TRUE(keys.contains(plan_key(same.plan, same.opened, same.twins, same.program)));
}

TEST_F(PlanMemoryTest, SaysWhatForbidsIt) {
  auto why = [&](const std::function<void(BuildPlan &)> &change) {
    BuildPlan wishes = plan();
    change(wishes);
    return why_no_plan_memory(wishes).value_or("");
  };
  EXPECT_EQ(why([](auto &) {}), "");
  EXPECT_EQ(why([](auto &all) { all.cache.directory.clear(); }), "there is no cache");
  EXPECT_EQ(why([](auto &all) { all.hooks = {{HookStage::setup, "true"}}; }), "setup hooks have a say");
  EXPECT_EQ(why([](auto &all) { all.skips = {"update"}; }), "there are no indexes");
  EXPECT_EQ(why([](auto &all) { all.includes = {"/tmp/a.deb"}; }), "a package is a local file");
  EXPECT_EQ(why([](auto &all) {
              all.sources = opened().sources;
              all.sources[0].entries[0].archive_root = "http://user:word@deb.debian.org/debian";
            }),
            "a source has a password");
}

}  // namespace
}  // namespace debroot::build
