#include "plan/make_plan.hpp"

#include <gmock/gmock.h>

#include "plan/hooks.hpp"
#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MakePlan : public ::testing::Test {
 protected:
  MakePlan() { options_.suite = "bookworm"; }
  BuildPlan make() { return make_plan(options_, host_); }
  std::string refused() {
    return refusal([&] { (void)make(); });
  }

  ScratchDirectory directory_;
  HostFacts host_ = make_host(directory_.path());
  Options options_;
};

TEST_F(MakePlan, FillsInDefaults) {
  BuildPlan plan = make();
  EXPECT_EQ(plan.suite, "bookworm");
  EXPECT_EQ(plan.architecture, "amd64");
  EXPECT_THAT(plan.foreign_architectures, IsEmpty());
  EXPECT_EQ(plan.variant, Variant::important);
  EXPECT_EQ(plan.mode, Mode::automatic);
  EXPECT_EQ(plan.vendor, "debian");
  EXPECT_TRUE(plan.has_default_sources);
  EXPECT_FALSE(plan.is_plain);
  EXPECT_EQ(plan.network, Network::networkd);
  EXPECT_EQ(plan.hostname, std::nullopt);
  EXPECT_EQ(plan.jobs, 4U);
  EXPECT_EQ(plan.cache.directory, directory_ / ".cache/debroot");
  EXPECT_EQ(plan.source_date_epoch, std::nullopt);
  EXPECT_EQ(plan.temporary_directory, directory_.path());
  EXPECT_EQ(plan.outputs.at(0).path, "./bookworm-amd64.tar");
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST_F(MakePlan, NeedsASuite) {
  options_.suite = "";
  EXPECT_EQ(refused(), "no suite is given\ntry: debroot build bookworm");
  options_.suite = "book worm";
  EXPECT_EQ(refused(), "'book worm' is no name of a suite");
}

TEST_F(MakePlan, TakesArchitectures) {
  options_.architectures = {"arm64,armhf", "arm64 i386"};
  BuildPlan plan = make();
  EXPECT_EQ(plan.architecture, "arm64");
  EXPECT_THAT(plan.foreign_architectures, ElementsAre("armhf", "i386"));
  options_.architectures = {","};
  EXPECT_EQ(refused(), "'--arch' names no architecture");
}

TEST_F(MakePlan, LendsTheHostsToolsToForeignImagesOnly) {
  EXPECT_EQ(make().twin_architecture, "");
  options_.architectures = {"arm64"};
  EXPECT_EQ(make().twin_architecture, "amd64");
  options_.foreign_exec = "emulate";
  EXPECT_EQ(make().twin_architecture, "");
  options_.foreign_exec = "native";
  options_.architectures = {"arm64,armhf"};
  EXPECT_EQ(make().twin_architecture, "amd64");
  // the image may have amd64's own loader
  options_.architectures = {"arm64,amd64"};
  EXPECT_EQ(make().twin_architecture, "");
}

TEST_F(MakePlan, ReplacesComponents) {
  options_.components = {"contrib", "non-free,contrib"};
  EXPECT_THAT(make().sources.at(0).entries.at(0).components, ElementsAre("contrib", "non-free"));
  options_.components = {""};
  EXPECT_EQ(refused(), "'--components' names no component");
}

TEST_F(MakePlan, NeedsAnArchiveUnlessAHookBringsOne) {
  options_.mirrors = {""};
  EXPECT_EQ(refused(), "the mirrors given name no archive to install from");
  options_.hooks = {{HookSource::setup, "true"}};
  EXPECT_NO_THROW(make());
}

TEST_F(MakePlan, KnowsVendorsBySuiteWhateverTheMirror) {
  options_.mirrors = {"http://mirror.example.org/x"};
  EXPECT_EQ(make().vendor, "debian");
  EXPECT_FALSE(make().has_default_sources);
  options_.suite = "jammy";
  EXPECT_EQ(make().vendor, "ubuntu");
  options_.suite = "corporate";
  EXPECT_EQ(make().vendor, "");
}

struct CustomisationCase {
  const char *variant;
  const char *network;
  const char *hostname;
  bool is_plain_asked;
  bool is_plain;
  Network expected;
};

TEST_F(MakePlan, CustomisesSystemsAndWhatAsksForIt) {
  const std::vector<CustomisationCase> cases = {
      {"important", nullptr, nullptr, false, false, Network::networkd},
      {"standard", "ifupdown", nullptr, false, false, Network::ifupdown},
      {"important", "none", nullptr, false, false, Network::none},
      {"important", nullptr, nullptr, true, true, Network::none},
      {"important", "none", nullptr, true, true, Network::none},
      {"minbase", nullptr, nullptr, false, true, Network::none},
      {"minbase", "networkd", nullptr, false, false, Network::networkd},
      {"minbase", nullptr, "web", false, false, Network::networkd},
      {"extract", nullptr, nullptr, false, true, Network::none},
      {"extract", "none", nullptr, false, true, Network::none},
  };
  for (const CustomisationCase &one : cases) {
    options_.variant = one.variant;
    options_.network = one.network ? std::optional<std::string>(one.network) : std::nullopt;
    options_.hostname = one.hostname ? std::optional<std::string>(one.hostname) : std::nullopt;
    options_.is_plain = one.is_plain_asked;
    BuildPlan plan = make();
    EXPECT_EQ(plan.is_plain, one.is_plain) << one.variant;
    EXPECT_EQ(plan.network, one.expected) << one.variant;
  }
}

TEST_F(MakePlan, RefusesContradictoryCustomisation) {
  options_.is_plain = true;
  options_.hostname = "web";
  EXPECT_EQ(refused(), "'--plain' and '--hostname' contradict each other");
  options_.hostname.reset();
  options_.network = "networkd";
  EXPECT_EQ(refused(), "'--plain' and '--network' contradict each other");
  options_.is_plain = false;
  options_.variant = "extract";
  EXPECT_EQ(refused(), "variant 'extract' has no system to customise: '--network' cannot be used");
  options_.hostname = "web";
  EXPECT_EQ(refused(), "variant 'extract' has no system to customise: '--hostname' cannot be used");
  options_.hostname = "w_b";
  EXPECT_EQ(refused(), "'w_b' is no host name: only letters, digits, hyphens and dots are allowed");
}

TEST_F(MakePlan, SplitsIncludesLikeMmdebstrap) {
  directory_.write("a,b.deb", "");
  options_.includes = {"vim,curl  less", "?priority(important), x", "./a,b.deb", "vim"};
  EXPECT_THAT(make().includes, ElementsAre("vim", "curl", "less", "?priority(important), x",
                                           std::filesystem::canonical(directory_ / "a,b.deb").string(), "vim"));
  options_.includes = {"./missing.deb"};
  EXPECT_EQ(refused(), "cannot include './missing.deb': No such file or directory");
  options_.includes = {"./"};
  EXPECT_EQ(refused(), "cannot include './': it is not a file");
}

TEST_F(MakePlan, RefusesToIncludeWhatIsExcluded) {
  options_.includes = {"vim=2:9.0", "curl:arm64", "nano/sid", "ed-"};
  options_.excludes = {"emacs,ed"};
  EXPECT_THAT(make().excludes, ElementsAre("emacs", "ed"));
  for (const char *name : {"vim", "curl", "nano"}) {
    options_.excludes = {name};
    EXPECT_EQ(refused(), std::string("package '") + name + "' is both in '--include' and in '--exclude'");
  }
  options_.excludes = {"Vim"};
  EXPECT_EQ(refused(), "'Vim' in '--exclude' is no package name");
}

TEST_F(MakePlan, ReadsOptionFiles) {
  directory_.write("apt.conf", "Acquire::Retries 3;");
  options_.apt_options = {"APT::Install-Recommends true", "Acquire::Languages \"none\";\n", "apt.conf"};
  options_.dpkg_options = {"path-exclude=/usr/share/man/*"};
  BuildPlan plan = make();
  EXPECT_THAT(plan.apt_options,
              ElementsAre("APT::Install-Recommends true;\n", "Acquire::Languages \"none\";\n", "Acquire::Retries 3;"));
  EXPECT_THAT(plan.dpkg_options, ElementsAre("path-exclude=/usr/share/man/*\n"));
}

TEST_F(MakePlan, NeedsKeyringsThatExist) {
  directory_.write("corp.gpg", "");
  directory_.make("keys");
  options_.keyrings = {"corp.gpg", "keys"};
  EXPECT_THAT(make().keyrings, ElementsAre(directory_ / "corp.gpg", directory_ / "keys"));
  options_.keyrings = {"none.gpg"};
  EXPECT_EQ(refused(), "keyring 'none.gpg' does not exist");
  options_.keyrings = {"/dev/null"};
  EXPECT_EQ(refused(), "keyring '/dev/null' is neither a file nor a directory");
}

TEST_F(MakePlan, KeepsHooksInOrder) {
  directory_.make("hooks");
  directory_.write("hooks/customize20", "", true);
  directory_.write("hooks/customize10", "", true);
  directory_.write("hooks/setup-proxy", "", true);
  directory_.write("hooks/extract.txt", "");
  directory_.write("hooks/other", "", true);
  directory_.make("nothing");
  options_.hooks = {{HookSource::customize, "one"},
                    {HookSource::directory, "hooks"},
                    {HookSource::essential, "two"},
                    {HookSource::extract, "three"},
                    {HookSource::directory, "nothing"}};
  BuildPlan plan = make();
  std::vector<std::string> seen;
  for (const Hook &hook : plan.hooks) seen.push_back(std::string(hook_stage_name(hook.stage)) + " " + hook.command);
  EXPECT_THAT(seen, ElementsAre("customize one", "customize " + (directory_ / "hooks/customize10"),
                                "customize " + (directory_ / "hooks/customize20"),
                                "setup " + (directory_ / "hooks/setup-proxy"), "essential two", "extract three"));
  EXPECT_THAT(plan.warnings,
              ElementsAre("hook '" + (directory_ / "hooks/extract.txt") + "' is not executable and is ignored",
                          "hook '" + (directory_ / "hooks/other") + "' is ignored: its name begins with no stage",
                          "hook directory 'nothing' holds no hook"));
}

TEST_F(MakePlan, RefusesHooksThatAreNone) {
  options_.hooks = {{HookSource::setup, "  "}};
  EXPECT_EQ(refused(), "a '--setup-hook' is empty");
  options_.hooks = {{HookSource::directory, "missing"}};
  EXPECT_EQ(refused(), "cannot read hook directory 'missing': No such file or directory");
}

TEST_F(MakePlan, KnowsMmdebstrapsHookDirectories) {
  host_.system_directory = directory_.path();
  options_.hooks = {{HookSource::directory, "/usr/share/mmdebstrap/hooks/merged-usr/"},
                    {HookSource::directory, "/usr/share/mmdebstrap/hooks/eatmydata"},
                    {HookSource::directory, "/usr/share/mmdebstrap/../mmdebstrap/hooks/busybox"}};
  BuildPlan plan = make();
  std::vector<std::string> seen;
  for (const Hook &hook : plan.hooks) seen.push_back(std::string(hook_stage_name(hook.stage)) + " " + hook.name);
  EXPECT_THAT(seen, ElementsAre("extract built-in merged-usr", "setup built-in busybox", "extract built-in busybox"));
  EXPECT_THAT(plan.hook_packages, ElementsAre("usr-is-merged"));
  EXPECT_TRUE(plan.warnings.empty());
  options_.hooks = {{HookSource::directory, "/usr/share/mmdebstrap/hooks/unknown"}};
  EXPECT_THAT(refused(), testing::StartsWith("cannot read hook directory '/usr/share/mmdebstrap/hooks/unknown'"));
}

TEST_F(MakePlan, ChecksSpecialHooksBeforeTheyRun) {
  options_.hooks = {{HookSource::customize, "copy-in a.conf 'b c' /etc"}, {HookSource::setup, "upload a /b"}};
  EXPECT_EQ(make().hooks.size(), 2U);
  options_.hooks = {{HookSource::customize, "copy-in a.conf"}};
  EXPECT_EQ(refused(), "cannot run the hook 'copy-in a.conf': 'copy-in' takes at least two paths, not 1");
  options_.hooks = {{HookSource::customize, "upload a b c"}};
  EXPECT_EQ(refused(), "cannot run the hook 'upload a b c': 'upload' takes two paths, not 3");
  options_.hooks = {{HookSource::customize, "sync-in 'a b"}};
  EXPECT_EQ(refused(), "cannot run the hook 'sync-in 'a b': a quote is not closed");
  options_.hooks = {{HookSource::customize, "upload"}, {HookSource::extract, "upload it", true}};
  EXPECT_EQ(make().hooks.size(), 2U) << "a program of that name, without arguments or inside the root, is a program";
}

TEST_F(MakePlan, PlacesTheCache) {
  host_.environment["XDG_CACHE_HOME"] = "/var/cache/me";
  EXPECT_EQ(make().cache.directory, "/var/cache/me/debroot");
  host_.environment["XDG_CACHE_HOME"] = "relative";
  EXPECT_EQ(make().cache.directory, directory_ / ".cache/debroot");
  options_.cache = "mine";
  EXPECT_EQ(make().cache.directory, directory_ / "mine");
  options_.cache.reset();
  host_.environment.clear();
  EXPECT_EQ(make().cache.directory, "");
  options_.has_no_cache = true;
  EXPECT_EQ(make().cache.directory, "");
}

TEST_F(MakePlan, RefusesContradictoryCaches) {
  options_.cache = "mine";
  options_.has_no_cache = true;
  EXPECT_EQ(refused(), "'--cache' and '--no-cache' contradict each other");
  options_.cache.reset();
  options_.is_offline = true;
  EXPECT_EQ(refused(),
            "'--offline' and '--no-cache' contradict each other: offline builds take everything from the cache");
  options_.has_no_cache = false;
  EXPECT_EQ(refused(), "'--offline' needs a cache: there is no directory '" + (directory_ / ".cache/debroot") +
                           "'\ntry: build once without --offline, or name the cache with --cache");
  directory_.make(".cache/debroot");
  EXPECT_TRUE(make().cache.is_offline);
  options_.cache = "";
  EXPECT_EQ(refused(), "'--cache' names no directory");
  directory_.write("file", "");
  options_.cache = "file";
  EXPECT_EQ(refused(), "cache '" + (directory_ / "file") + "' is not a directory");
}

TEST_F(MakePlan, TakesTheEnvironment) {
  host_.environment["SOURCE_DATE_EPOCH"] = "12";
  EXPECT_EQ(make().source_date_epoch, 12);
  host_.environment["TMPDIR"] = "/no/such/place";
  EXPECT_EQ(refused(), "TMPDIR names no directory: '/no/such/place'");
  host_.environment["TMPDIR"] = "";
  EXPECT_EQ(make().temporary_directory, "/tmp");
}

TEST_F(MakePlan, CarriesTheRest) {
  options_.jobs = "2";
  options_.skips = {"check/empty"};
  options_.shares_network_with_scripts = true;
  options_.is_simulation = true;
  options_.mode = "unshare";
  BuildPlan plan = make();
  EXPECT_EQ(plan.jobs, 2U);
  EXPECT_THAT(plan.skips, ElementsAre("check/empty"));
  EXPECT_TRUE(plan.shares_network_with_scripts);
  EXPECT_TRUE(plan.is_simulation);
  EXPECT_EQ(plan.mode, Mode::unshare);
}

TEST(HostFacts, AreGatheredFromTheProcess) {
  const char *environment[] = {"A=1", "B=x=y", "C", nullptr};
  HostFacts host = gather_host_facts(environment);
  EXPECT_EQ(host.variable("A"), "1");
  EXPECT_EQ(host.variable("B"), "x=y");
  EXPECT_EQ(host.variable("C"), "");
  EXPECT_GE(host.cpus, 1U);
  EXPECT_EQ(host.working_directory, std::filesystem::current_path().string());
  EXPECT_FALSE(host.architecture.empty());
}

}  // namespace
}  // namespace debroot::plan
