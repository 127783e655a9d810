#include "configure/configurer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::configure {
namespace {

using dpkgdb::PackageKey;
using dpkgdb::PackageRecord;
using dpkgdb::State;
using test::thrown_by;

/// Runs nothing, remembers what it was asked, and does what a test says instead.
class FakeScripts : public ScriptHost {
 public:
  [[nodiscard]] ScriptResult run(const ScriptCall &call) override {
    calls.push_back(call);
    std::string_view path = call.argv[0];
    std::string name(path.substr(path.rfind('/') + 1));
    std::vector<std::string> words(call.argv.begin() + 1, call.argv.end());
    log.push_back(name + " " + base::join(words, "|"));
    auto found = actions.find(log.back());
    return found == actions.end() ? ScriptResult{} : found->second();
  }

  std::vector<ScriptCall> calls;
  std::vector<std::string> log;
  std::map<std::string, std::function<ScriptResult()>> actions;
};

class ConfigurerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char *name : {"info", "triggers", "updates"})
      root_->make_directories(std::string("/var/lib/dpkg/") + name);
  }

  /// An unpacked package; with a postinst unless told otherwise.
  PackageRecord &add(const std::string &name, const std::string &fields = "", bool has_postinst = true,
                     const std::string &architecture = "all") {
    PackageRecord &record = database_.add(deb822::Stanza::parse(
        fmt::format("Package: {}\nVersion: 1\nArchitecture: {}\n{}", name, architecture, fields)));
    record.state = State::unpacked;
    if (has_postinst) root_->write(dpkgdb::Database::info_path(record, "postinst"), "#!/bin/sh\n", 0755);
    keys_.push_back({name, architecture});
    return record;
  }
  PackageRecord &add_mute(const std::string &name, const std::string &fields) { return add(name, fields, false); }

  void triggers_of(const std::string &name, const std::string &text) {
    root_->write("/var/lib/dpkg/info/" + name + ".triggers", text);
    for (const auto &directive : dpkgdb::parse_trigger_directives(text, name)) {
      if (directive.is_interest) files_.add_interest(directive.trigger, name, directive.is_await);
    }
  }

  /// As dpkg-trigger called by a script.
  void activate(const std::string &line) { root_->append("/var/lib/dpkg/triggers/Unincorp", line + "\n"); }
  std::function<ScriptResult()> activating(const std::string &line) {
    return [this, line] {
      activate(line);
      return ScriptResult{};
    };
  }

  Configurer configurer() { return Configurer({*root_, database_, engine_, scripts_, "amd64", choice_, {}, {}}); }
  void configure(bool runs_triggers = true) {
    if (runs_triggers) {
      configurer().install(keys_);
    } else {
      configurer().configure(keys_);
    }
  }
  std::string refusal() {
    return thrown_by([&] {
      configure();
      return 0;
    });
  }
  State state(const std::string &name) { return database_.named(name).at(0)->state; }
  using Log = std::vector<std::string>;

  test::ScratchRoot root_;
  dpkgdb::Database database_{*root_};
  dpkgdb::Triggers files_{*root_};
  TriggerEngine engine_{database_, files_};
  FakeScripts host_;
  MaintainerScripts scripts_{*root_, database_, host_, {{"PATH=/bin"}, "1.21.22"}};
  ConffileChoice choice_ = ConffileChoice::refuse;
  std::vector<PackageKey> keys_;
};

TEST_F(ConfigurerTest, DependenciesFirstElseTheGivenOrder) {
  add("a", "Depends: c\n");
  add("b");
  add("c", "Pre-Depends: d | zzz\n");
  add("d");
  configure();
  EXPECT_EQ(host_.log,
            (Log{"b.postinst configure|", "d.postinst configure|", "c.postinst configure|", "a.postinst configure|"}));
  EXPECT_EQ(state("a"), State::installed);
}

TEST_F(ConfigurerTest, ACycleIsBrokenWhereThereIsNoScript) {
  add("a", "Depends: b\n");
  add("b", "Depends: mute\n");
  add_mute("mute", "Depends: a\n");
  configure();
  EXPECT_EQ(host_.log, (Log{"b.postinst configure|", "a.postinst configure|"}));
}

TEST_F(ConfigurerTest, ACycleOfScriptsBreaksAtTheFirstOfThem) {
  add("a", "Depends: b\n");
  add("b", "Depends: a\n");
  configure();
  EXPECT_EQ(host_.log, (Log{"a.postinst configure|", "b.postinst configure|"}));
}

TEST_F(ConfigurerTest, VirtualVersionedAndQualifiedRelations) {
  add("user", "Depends: mta (>= 2), tool:any, lib:amd64\n", true, "amd64");
  add("exim", "Provides: mta (= 3)\n", true, "amd64");
  add("tool", "Multi-Arch: allowed\n", true, "i386");
  add("lib", "Multi-Arch: same\n", true, "i386");
  add("lib", "Multi-Arch: same\n", true, "amd64");
  configure();
  EXPECT_EQ(host_.log.back(), "user.postinst configure|");
  EXPECT_EQ(host_.log.size(), 5U);
}

TEST_F(ConfigurerTest, WhatIsMissingIsNamedAndTheRestGoesOn) {
  add("a", "Depends: present, gone | lost (>= 2)\n");
  add("needs-a", "Depends: a\n");
  add("present");
  EXPECT_EQ(refusal(),
            "cannot configure the packages: their dependencies are not met\n"
            "  needed by: a_1_all: gone | lost (>= 2)\n"
            "  needed by: needs-a_1_all: a");
  EXPECT_EQ(state("present"), State::installed);
  EXPECT_EQ(state("a"), State::unpacked);
}

TEST_F(ConfigurerTest, AnUnversionedProvideMeetsNoVersion) {
  add("a", "Depends: virtual (>= 1)\n");
  add("b", "Provides: virtual\n");
  EXPECT_EQ(refusal(),
            "cannot configure the packages: their dependencies are not met\n  needed by: a_1_all: virtual (>= 1)");
}

TEST_F(ConfigurerTest, PackagesOutsideTheQueueAreNotWaitedFor) {
  add("a", "Depends: b\n");
  add("b");
  keys_.pop_back();
  EXPECT_EQ(refusal(), "cannot configure the packages: their dependencies are not met\n  needed by: a_1_all: b");
}

TEST_F(ConfigurerTest, PendingConfiguresAllInDpkgsHashOrder) {
  for (const char *name : {"zlib1g", "bash", "dash", "apt", "mawk"}) add(name);
  configurer().configure_pending();
  // FNV-1a of the names modulo 65521
  std::map<std::uint32_t, std::string> order;
  for (const PackageKey &key : keys_) {
    std::uint32_t hash = 2166136261U;
    for (unsigned char c : key.name) hash = (hash ^ c) * 16777619U;
    order[hash % 65521] = key.name + ".postinst configure|";
  }
  Log expected;
  for (const auto &[place, line] : order) expected.push_back(line);
  EXPECT_EQ(host_.log, expected);
}

TEST_F(ConfigurerTest, TriggersRunAfterAllIsConfiguredLatestNameFirst) {
  add("cache");
  triggers_of("cache", "interest one\ninterest two\n");
  add("user");
  host_.actions["user.postinst configure|"] = activating("one user\ntwo user");
  configure();
  EXPECT_EQ(host_.log,
            (Log{"cache.postinst configure|", "user.postinst configure|", "cache.postinst triggered|two one"}));
  EXPECT_EQ(state("user"), State::installed);
  EXPECT_EQ(state("cache"), State::installed);
}

TEST_F(ConfigurerTest, WithoutTriggersTheyStayPending) {
  add("cache");
  triggers_of("cache", "interest /usr/lib\n");
  add("user");
  host_.actions["user.postinst configure|"] = activating("/usr/lib/x user");
  configure(false);
  EXPECT_EQ(state("cache"), State::triggers_pending);
  EXPECT_EQ(state("user"), State::triggers_awaited);
  EXPECT_EQ(database_.named("user").at(0)->triggers_awaited, (std::vector<std::string>{"cache"}));
  database_.begin_run();
  engine_.begin_run();
  configurer().configure_pending();
  EXPECT_EQ(host_.log.back(), "cache.postinst triggered|/usr/lib");
  EXPECT_EQ(state("user"), State::installed);
}

TEST_F(ConfigurerTest, NoAwaitOnEitherSideLetsTheActivatorGoOn) {
  add("cache");
  triggers_of("cache", "interest-noawait quiet\ninterest loud\n");
  add("user");
  host_.actions["user.postinst configure|"] = activating("quiet user\nloud -");
  configure(false);
  EXPECT_EQ(state("cache"), State::triggers_pending);
  EXPECT_EQ(state("user"), State::installed);
}

TEST_F(ConfigurerTest, TriggersOfAPackageRunForTheSakeOfAnother) {
  add("cache");
  triggers_of("cache", "interest rebuild\n");
  add("user");
  triggers_of("user", "activate rebuild\n");
  add("last", "Depends: user\n");
  configure(false);
  EXPECT_EQ(host_.log, (Log{"cache.postinst configure|", "user.postinst configure|", "cache.postinst triggered|rebuild",
                            "last.postinst configure|"}));
}

TEST_F(ConfigurerTest, AwaitersGoOnBeforeTheTriggerScriptRuns) {
  add("cache");
  triggers_of("cache", "interest rebuild\n");
  add("user");
  triggers_of("user", "activate rebuild\n");
  State seen = State::not_installed;
  host_.actions["cache.postinst triggered|rebuild"] = [&] {
    seen = dpkgdb::Database(*root_).find({"user", "all"})->state;
    return ScriptResult{};
  };
  configure();
  EXPECT_EQ(seen, State::installed);
}

TEST_F(ConfigurerTest, TheDatabaseOnDiskIsTrueDuringAScript) {
  add("a").config_version = "0.5";
  std::string seen;
  host_.actions["a.postinst configure|0.5"] = [&] {
    seen = dpkgdb::Database(*root_).find({"a", "all"})->stanza();
    return ScriptResult{};
  };
  configure();
  EXPECT_EQ(seen,
            "Package: a\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\nConfig-Version: 0.5\n");
}

TEST_F(ConfigurerTest, ScriptsGetDpkgsEnvironment) {
  add("lib", "Multi-Arch: same\n", true, "i386");
  add("lib", "Multi-Arch: same\n", true, "amd64");
  configure();
  EXPECT_EQ(host_.calls[1].origin, "postinst of lib_1_amd64");
  EXPECT_EQ(host_.calls[1].argv[0], "/var/lib/dpkg/info/lib:amd64.postinst");
  EXPECT_EQ(host_.calls[1].environment,
            (Log{"PATH=/bin", "DPKG_MAINTSCRIPT_PACKAGE=lib", "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=2",
                 "DPKG_MAINTSCRIPT_ARCH=amd64", "DPKG_MAINTSCRIPT_NAME=postinst", "DPKG_MAINTSCRIPT_DEBUG=0",
                 "DPKG_RUNNING_VERSION=1.21.22", "DPKG_ADMINDIR=/var/lib/dpkg",
                 "DPKG_ROOT=", "DPKG_FORCE=security-mac,downgrade"}));
}

TEST_F(ConfigurerTest, AFailedScriptTellsItsWholeStory) {
  add("bad", "", true, "amd64");
  std::string line = "bad.postinst configure|";
  host_.actions[line] = [] { return ScriptResult{2, 0, "", "first\nsecond\n"}; };
  EXPECT_EQ(refusal(),
            "postinst of 'bad_1_amd64' exited with status 2\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: first\n  output: second");
  database_.named("bad").at(0)->state = State::unpacked;
  host_.actions[line] = [] { return ScriptResult{0, 9, "", ""}; };
  EXPECT_EQ(refusal(),
            "postinst of 'bad_1_amd64' was killed by signal 9\n"
            "  while: configuring the packages (state of this one: half-configured)\n  output: (none)");
  database_.named("bad").at(0)->state = State::unpacked;
  host_.actions[line] = [] { return ScriptResult{0, 0, "could not be started: exec format error", ""}; };
  EXPECT_EQ(refusal(),
            "postinst of 'bad_1_amd64' could not be started: exec format error\n"
            "  while: configuring the packages (state of this one: half-configured)\n  output: (none)");
}

TEST_F(ConfigurerTest, LongOutputIsCutAtItsBeginning) {
  add("bad");
  std::string output;
  for (int i = 1; i <= 205; ++i) output += fmt::format("line {}\n", i);
  host_.actions["bad.postinst configure|"] = [&] { return ScriptResult{1, 0, "", output}; };
  std::string text = refusal();
  EXPECT_NE(text.find("  output: (5 lines before these)\n  output: line 6\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("  output: line 205"));
}

class ConffileTest : public ConfigurerTest {
 protected:
  void SetUp() override {
    ConfigurerTest::SetUp();
    root_->make_directories("/etc");
    PackageRecord &record = add("p");
    record.conffiles = {{"/etc/x", "newconffile", false, false}, {"/etc/gone", "newconffile", false, true}};
  }
  [[nodiscard]] std::string hash() { return database_.find({"p", "all"})->conffiles[0].hash; }
};

TEST_F(ConffileTest, ANewOneIsPutInPlace) {
  root_->write("/etc/x.dpkg-new", "abc", 0600);
  configure();
  EXPECT_EQ(root_->read("/etc/x"), "abc");
  EXPECT_FALSE(root_->exists("/etc/x.dpkg-new"));
  EXPECT_EQ(hash(), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(database_.find({"p", "all"})->conffiles[1].hash, "newconffile");
}

TEST_F(ConffileTest, AnEqualOneStaysAndTriggersNothing) {
  add("watch");
  triggers_of("watch", "interest-noawait /etc\n");
  keys_ = {{"watch", "all"}, {"p", "all"}};
  root_->write("/etc/x", "abc", 0640);
  root_->write("/etc/x.dpkg-new", "abc");
  configure();
  EXPECT_EQ(root_->status("/etc/x")->st_mode & 07777U, 0640U);
  EXPECT_EQ(root_->list("/etc"), (Log{"x"}));
  EXPECT_EQ(host_.log, (Log{"watch.postinst configure|", "p.postinst configure|"}));
}

TEST_F(ConffileTest, OneThatExtractionPutThereIsNotedLikeAnyOther) {
  root_->write("/etc/x", "abc");
  configure();
  EXPECT_EQ(hash(), "900150983cd24fb0d6963f7d28e17f72");
  // taken up, the conffile, half-configured, installed
  EXPECT_EQ(root_->list("/var/lib/dpkg/updates"), (Log{"0000", "0001", "0002", "0003"}));
}

TEST_F(ConffileTest, ADifferentOneIsRefused) {
  root_->write("/etc/x", "mine");
  root_->write("/etc/x.dpkg-new", "theirs");
  EXPECT_EQ(refusal(),
            "conffile '/etc/x' of 'p_1_all' is already there and differs from the package's\n"
            "  try: --dpkgopt=force-confold keeps what is there, --dpkgopt=force-confnew takes the package's");
}

TEST_F(ConffileTest, TheLoserStaysBeside) {
  root_->write("/etc/x", "mine", 0600);
  root_->write("/etc/x.dpkg-new", "theirs");
  choice_ = ConffileChoice::keep;
  configure();
  EXPECT_EQ(root_->read("/etc/x"), "mine");
  EXPECT_EQ(root_->read("/etc/x.dpkg-dist"), "theirs");
  database_.find({"p", "all"})->state = State::unpacked;
  root_->write("/etc/x.dpkg-new", "newer");
  choice_ = ConffileChoice::replace;
  configure();
  EXPECT_EQ(root_->read("/etc/x"), "newer");
  EXPECT_EQ(root_->read("/etc/x.dpkg-old"), "mine");
  EXPECT_EQ(root_->status("/etc/x")->st_mode & 07777U, 0600U);
}

TEST_F(ConffileTest, ADivertedOneGoesWhereItIsDiverted) {
  root_.file("/var/lib/dpkg/diversions", "/etc/x\n/etc/x.other\nq\n");
  root_->write("/etc/x.other.dpkg-new", "abc");
  configure();
  EXPECT_EQ(root_->read("/etc/x.other"), "abc");
}

TEST_F(ConfigurerTest, PreinstRunsFromTheControlDirectory) {
  PackageRecord &record = add("p");
  EXPECT_FALSE(scripts_.run_preinst(record, {"install"}));
  root_.file("/var/lib/dpkg/tmp.ci/preinst", "#!/bin/sh\n", 0644);
  EXPECT_TRUE(scripts_.run_preinst(record, {"install"}));
  EXPECT_EQ(host_.calls[0].argv, (Log{"/var/lib/dpkg/tmp.ci/preinst", "install"}));
  EXPECT_EQ(root_->status("/var/lib/dpkg/tmp.ci/preinst")->st_mode & 07777U, 0755U);
}

}  // namespace
}  // namespace debroot::configure
