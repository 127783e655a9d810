#include "plan/as_mmdebstrap.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AsMmdebstrap : public ::testing::Test {
 protected:
  AsMmdebstrap() {
    options_.suite = "bookworm";
    options_.outputs = {"out.tar"};
    host_.system_directory = directory_ / "system";
    host_.hostname = "builder";
    host_.apt_user_id = 42;
    host_.start_time = 1700000000;
    for (const char *name : {"system/etc/apt/trusted.gpg.d", "system/usr/share/keyrings"}) directory_.make(name);
    directory_.write("system/etc/resolv.conf", "nameserver 192.0.2.1\n");
    directory_.write("system/etc/hostname", "builder\n", true);
    directory_.write("system/etc/apt/trusted.gpg.d/debian.asc", "key");
    host_.holds_only_trusted_keys = [this](const std::string &keyring, const std::vector<std::string> &trusted) {
      asked_keyring_ = keyring;
      asked_trusted_ = trusted;
      return is_trusted_;
    };
  }

  BuildPlan make() { return make_plan_as_mmdebstrap(options_, host_); }
  std::string sources() { return make().sources.at(0).text; }
  [[nodiscard]] std::string on_system(const std::string &path) const { return host_.system_directory + path; }

  ScratchDirectory directory_;
  HostFacts host_ = make_host(directory_.path());
  Options options_;
  bool is_trusted_ = true;
  std::string asked_keyring_;
  std::vector<std::string> asked_trusted_;
};

TEST_F(AsMmdebstrap, LetsTheHostShow) {
  BuildPlan plan = make();
  EXPECT_TRUE(plan.is_plain);
  EXPECT_EQ(plan.network, Network::none);
  EXPECT_TRUE(plan.shares_network_with_scripts);
  EXPECT_EQ(plan.source_date_epoch, 1700000000);
  EXPECT_EQ(plan.host_traces.apt_user_id, 42U);
  EXPECT_EQ(plan.host_traces.hostname, "builder");
  EXPECT_THAT(*plan.host_traces.environment, ElementsAre("HOME=" + directory_.path(), "TMPDIR=" + directory_.path()));
  ASSERT_THAT(plan.host_traces.files, SizeIs(2));
  EXPECT_EQ(plan.host_traces.files[0].path, "/etc/resolv.conf");
  EXPECT_EQ(plan.host_traces.files[0].content, "nameserver 192.0.2.1\n");
  EXPECT_EQ(plan.host_traces.files[1].path, "/etc/hostname");
  EXPECT_EQ(plan.host_traces.files[1].mode, 0700U);
  EXPECT_THAT(plan.warnings, IsEmpty());
}

TEST_F(AsMmdebstrap, PrefersTheEpochGiven) {
  host_.environment["SOURCE_DATE_EPOCH"] = "5";
  EXPECT_EQ(make().source_date_epoch, 5);
}

TEST_F(AsMmdebstrap, FallsBackToTmpAsPerlDoes) {
  host_.environment["TMPDIR"] = "/no/such/place";
  EXPECT_EQ(make().temporary_directory, "/tmp");
}

TEST_F(AsMmdebstrap, TakesFakechrootForUnshare) {
  options_.mode = "fakechroot";
  BuildPlan plan = make();
  EXPECT_EQ(plan.mode, Mode::unshare);
  EXPECT_THAT(plan.warnings,
              ElementsAre("mode fakechroot is not offered: using mode unshare, which makes the same image"));
}

TEST_F(AsMmdebstrap, MayGoWithoutACache) { EXPECT_TRUE(make().cache.is_optional); }

TEST_F(AsMmdebstrap, WarnsOfFilesThatTheHostLacks) {
  host_.system_directory = directory_ / "nowhere";
  host_.apt_user_id.reset();
  BuildPlan plan = make();
  EXPECT_THAT(plan.host_traces.files, IsEmpty());
  EXPECT_EQ(plan.host_traces.apt_user_id, 0U);
  EXPECT_THAT(plan.warnings, ElementsAre("this machine has no '/etc/resolv.conf' to copy into the image",
                                         "this machine has no '/etc/hostname' to copy into the image"));
}

TEST_F(AsMmdebstrap, TrustsTheHostsKeysAndWhatTakesTheirPlace) {
  EXPECT_THAT(make().keyrings, ElementsAre(on_system("/etc/apt/trusted.gpg.d")));
  directory_.write("corp.gpg", "key");
  options_.keyrings = {"corp.gpg"};
  EXPECT_THAT(make().keyrings, ElementsAre(directory_ / "corp.gpg", on_system("/etc/apt/trusted.gpg.d")));
  directory_.make("keys");
  directory_.write("keys/a.gpg", "key");
  options_.keyrings = {"corp.gpg", "keys"};
  EXPECT_THAT(make().keyrings, ElementsAre(directory_ / "corp.gpg", directory_ / "keys"));
  options_.keyrings = {"missing.gpg"};
  EXPECT_EQ(refusal([&] { (void)make(); }), "keyring 'missing.gpg' does not exist");
}

TEST_F(AsMmdebstrap, NamesTheKeyringThatAptDoesNotTrust) {
  is_trusted_ = false;
  options_.mirrors = {"http://a.org/d"};
  EXPECT_EQ(sources(), "deb http://a.org/d bookworm main\n") << "the keyring does not exist";
  directory_.write("system/usr/share/keyrings/debian-archive-keyring.gpg", "key");
  EXPECT_EQ(sources(),
            "deb [signed-by=\"/usr/share/keyrings/debian-archive-keyring.gpg\"] http://a.org/d bookworm main\n");
  EXPECT_EQ(make().sources[0].entries[0].signed_by, "/usr/share/keyrings/debian-archive-keyring.gpg");
  EXPECT_EQ(asked_keyring_, on_system("/usr/share/keyrings/debian-archive-keyring.gpg"));
  EXPECT_THAT(asked_trusted_, ElementsAre(on_system("/etc/apt/trusted.gpg.d")));
  is_trusted_ = true;
  EXPECT_EQ(sources(), "deb http://a.org/d bookworm main\n");
  is_trusted_ = false;
  options_.skips = {"check/signed-by"};
  EXPECT_EQ(sources(), "deb http://a.org/d bookworm main\n");
  options_.skips.clear();
  options_.suite = "corporate";
  EXPECT_EQ(sources(),
            "deb [signed-by=\"/usr/share/keyrings/debian-archive-keyring.gpg\"] http://a.org/d corporate main\n")
      << "what nobody knows is taken for Debian's";
  options_.suite = "kali-rolling";
  EXPECT_EQ(sources(), "deb http://a.org/d kali-rolling main\n") << "its keyring is not there";
  directory_.write("system/usr/share/keyrings/debian-archive-removed-keys.gpg", "key");
  options_.suite = "lenny";
  EXPECT_EQ(sources(),
            "deb [signed-by=\"/usr/share/keyrings/debian-archive-removed-keys.gpg\"] http://a.org/d lenny main\n");
  options_.suite = "squeeze";
  EXPECT_EQ(sources(),
            "deb [signed-by=\"/usr/share/keyrings/debian-archive-keyring.gpg\"] http://a.org/d squeeze main\n");
}

/// Seen in mmdebstrap 1.5.7's --debug.
TEST_F(AsMmdebstrap, GuessesTheSourcesThatMmdebstrapGuesses) {
  constexpr const char *kSecurity = "deb http://security.debian.org/debian-security ";
  const std::vector<std::pair<std::string, std::string>> kLast = {
      {"bullseye", std::string(kSecurity) + "bullseye-security main\n"},
      {"buster", std::string(kSecurity) + "buster/updates main\n"},
      {"buzz", std::string(kSecurity) + "buzz/updates main\n"},
      {"oldstable", std::string(kSecurity) + "oldstable-security main\n"},
      {"oldoldstable", std::string(kSecurity) + "oldoldstable/updates main\n"},
      {"experimental", std::string(kSecurity) + "experimental/updates main\n"},
      {"rc-buggy", "deb http://deb.debian.org/debian rc-buggy main\n"},
      {"testing", "deb http://deb.debian.org/debian testing main\n"},
      {"devel", "deb http://deb.debian.org/debian devel main\n"},
      {"noble", "deb http://security.ubuntu.com/ubuntu noble-security main\n"},
      {"kali-rolling", "deb https://http.kali.org/kali kali-rolling main\n"},
      {"aria", "deb https://mirror.elxr.dev aria main\n"},
      {"dasyatis", "deb http://archive.tanglu.org/tanglu dasyatis-updates main\n"}};
  for (const auto &[suite, last] : kLast) {
    options_.suite = suite;
    EXPECT_THAT(sources(), testing::EndsWith(last)) << suite;
  }
}

TEST_F(AsMmdebstrap, LearnsSuitesFromDistroInfoAndDebootstrap) {
  directory_.make("system/usr/share/distro-info");
  directory_.write("system/usr/share/distro-info/debian.csv",
                   "version,codename,series,created\n99,Zurg,zurg,2030-01-01\n");
  directory_.write("system/usr/share/distro-info/ubuntu.csv",
                   "version,codename,series,created\n30.04,Zany Zebra,zany,2029-10-01\n");
  directory_.make("system/usr/share/debootstrap/scripts");
  std::filesystem::create_symlink("sid", directory_ / "system/usr/share/debootstrap/scripts/beowulf");
  options_.suite = "zurg";
  EXPECT_THAT(sources(), testing::EndsWith("/debian-security zurg-security main\n"));
  options_.suite = "zany";
  EXPECT_THAT(sources(), testing::EndsWith("/ubuntu zany-security main\n"));
  options_.suite = "beowulf";
  EXPECT_THAT(sources(), testing::EndsWith("/debian-security beowulf/updates main\n"));
}

TEST_F(AsMmdebstrap, RefusesSomeWordsBeforeAllElse) {
  options_.keyrings = {"no.gpg"};
  EXPECT_EQ(refusal([&] { check_words_as_mmdebstrap(options_, host_); }), "keyring 'no.gpg' does not exist");
  options_.keyrings.clear();
  options_.hooks = {{HookSource::directory, "nowhere"}};
  EXPECT_EQ(refusal([&] { check_words_as_mmdebstrap(options_, host_); }), "hook directory 'nowhere' does not exist");
  options_.hooks.clear();
  options_.includes = {"./no.deb"};
  EXPECT_EQ(refusal([&] { check_words_as_mmdebstrap(options_, host_); }),
            "cannot include './no.deb': No such file or directory");
}

TEST_F(AsMmdebstrap, ReadsStandardInputOnce) {
  options_.mirrors = {"-", "-"};
  host_.read_standard_input = [] { return "deb http://a.org/d x main\n"; };
  BuildPlan plan = make();
  EXPECT_EQ(plan.sources.at(0).text, "deb http://a.org/d x main\n");
  EXPECT_THAT(plan.warnings, ElementsAre("sources.list from standard input is empty"));
}

TEST_F(AsMmdebstrap, GoesOnWithoutASourceWhereNoneIsRead) {
  options_.suite = "";
  options_.skips = {"update"};
  EXPECT_THAT(make().warnings,
              ElementsAre("cannot guess apt sources.list entry with empty suite name", "empty apt sources.list"));
}

TEST_F(AsMmdebstrap, GuessesSourcesFromTheSuite) {
  EXPECT_EQ(sources(),
            "deb http://deb.debian.org/debian bookworm main\n"
            "deb http://deb.debian.org/debian bookworm-updates main\n"
            "deb http://security.debian.org/debian-security bookworm-security main\n");
  options_.suite = "sid";
  options_.components = {"main,contrib"};
  EXPECT_EQ(sources(), "deb http://deb.debian.org/debian sid main contrib\n");
  options_.suite = "corporate";
  EXPECT_EQ(sources(), "deb http://deb.debian.org/debian corporate main contrib\n");
  options_.suite = "forky";
  EXPECT_THAT(make().sources[0].entries, SizeIs(3)) << "it has a release of its own";
  options_.suite = "jammy";
  options_.architectures = {"arm64"};
  EXPECT_EQ(make().sources[0].entries[0].archive_root, "http://ports.ubuntu.com/ubuntu-ports");
}

TEST_F(AsMmdebstrap, KeepsCredentials) {
  options_.mirrors = {"http://me:secret@a.org/d"};
  EXPECT_EQ(sources(), "deb http://me:secret@a.org/d bookworm main\n");
}

TEST_F(AsMmdebstrap, NeedsNoSuiteWhereTheSourcesSayIt) {
  options_.suite = "";
  options_.mirrors = {"deb http://a.org/d x main"};
  EXPECT_EQ(make().sources[0].entries[0].suite, "x");
  options_.mirrors = {"http://a.org/d"};
  EXPECT_EQ(refusal([&] { (void)make(); }), "cannot use mirror 'http://a.org/d' without a suite");
  options_.mirrors.clear();
  EXPECT_EQ(refusal([&] { (void)make(); }), "the mirrors given name no archive to install from");
}

TEST_F(AsMmdebstrap, IsAsLenientAsMmdebstrap) {
  options_.skips = {"cleanup/run,frobnicate"};
  options_.architectures = {","};
  BuildPlan plan = make();
  EXPECT_THAT(plan.skips, ElementsAre("cleanup/run"));
  EXPECT_EQ(plan.architecture, "amd64");
  EXPECT_THAT(plan.warnings, ElementsAre("empty architecture list: falling back to native architecture amd64"));
}

}  // namespace
}  // namespace debroot::plan
