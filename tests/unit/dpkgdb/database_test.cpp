#include "dpkgdb/database.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/subprocess.hpp"
#include "dpkgdb/file_table.hpp"
#include "dpkgdb/path_rules.hpp"
#include "dpkgdb/triggers.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::dpkgdb {
namespace {

using test::ScratchRoot;

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char *directory : {"updates", "info", "triggers"}) root_->make_directories(admin(directory));
    root_->write(admin("status"), "");
  }
  static std::string admin(const std::string &name) { return "/var/lib/dpkg/" + name; }

  static PackageRecord &add(Database &database, const std::string &name, State state) {
    PackageRecord &record = database.add(deb822::Stanza::parse(
        fmt::format("Package: {}\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n", name)));
    record.state = state;
    return record;
  }
  static std::string stanza(const std::string &name, const std::string &status) {
    return fmt::format("Package: {}\nStatus: {}\nMaintainer: m\nArchitecture: all\nVersion: 1\nDescription: d\n", name,
                       status);
  }

  ScratchRoot root_;
};

TEST_F(DatabaseTest, EachNoteIsAFileOfTheJournal) {
  Database database(*root_);
  PackageRecord &record = add(database, "p", State::unpacked);
  database.note(record);
  record.state = State::installed;
  database.note(record);
  EXPECT_EQ(root_->list(admin("updates")), (std::vector<std::string>{"0000", "0001"}));
  EXPECT_EQ(root_->read(admin("updates/0001")), stanza("p", "install ok installed"));
  EXPECT_EQ(root_->read(admin("status")), "");
  EXPECT_EQ(Database(*root_).find({"p", "all"})->state, State::installed);
}

TEST_F(DatabaseTest, ACheckpointSortsStatusAndKeepsTheFormerOne) {
  Database database(*root_);
  database.note(add(database, "z", State::installed));
  add(database, "a", State::installed);
  add(database, "gone", State::not_installed);
  database.checkpoint();
  std::string first = stanza("a", "install ok installed") + "\n" + stanza("z", "install ok installed") + "\n";
  EXPECT_EQ(root_->read(admin("status")), first);
  EXPECT_EQ(root_->read(admin("status-old")), "");
  EXPECT_TRUE(root_->list(admin("updates")).empty());
  database.find({"z", "all"})->state = State::unpacked;
  database.checkpoint();
  EXPECT_EQ(root_->read(admin("status-old")), first);
  EXPECT_FALSE(root_->exists(admin("status-new")));
}

TEST_F(DatabaseTest, TheJournalIsFoldedWhereDpkgFoldsIt) {
  Database database(*root_);
  PackageRecord &record = add(database, "p", State::installed);
  for (int i = 0; i < 250; ++i) database.note(record);
  EXPECT_EQ(root_->list(admin("updates")).size(), 250U);
  EXPECT_EQ(root_->read(admin("status")), "");
  database.note(record);
  EXPECT_TRUE(root_->list(admin("updates")).empty());
  EXPECT_EQ(root_->read(admin("status")), stanza("p", "install ok installed") + "\n");
}

TEST_F(DatabaseTest, ReloadContinuesTheJournal) {
  Database database(*root_);
  PackageRecord &record = add(database, "p", State::unpacked);
  database.note(record);
  database.note(record);
  root_->write(admin("updates/tmp.i"), "junk");
  database.reload();
  database.note(*database.find({"p", "all"}));
  EXPECT_TRUE(root_->exists(admin("updates/0002")));
}

TEST_F(DatabaseTest, NamedFindsEveryArchitecture) {
  Database database(*root_);
  for (const char *architecture : {"i386", "amd64"}) {
    database.add(deb822::Stanza::parse(fmt::format("Package: lib\nVersion: 1\nArchitecture: {}\n", architecture)));
  }
  add(database, "lib2", State::installed);
  EXPECT_EQ(database.named("lib").size(), 2U);
  EXPECT_TRUE(database.named("li").empty());
  EXPECT_EQ(database.find({"lib", "arm64"}), nullptr);
}

TEST_F(DatabaseTest, ANewRunReadsPendingTriggersBackwards) {
  Database database(*root_);
  PackageRecord &record = add(database, "p", State::triggers_pending);
  record.triggers_pending = {"b", "a"};
  database.begin_run();
  EXPECT_EQ(record.triggers_pending, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(record.config_version, "1");
}

TEST_F(DatabaseTest, DpkgQueryReadsStatusAndJournal) {
  std::optional<std::string> query = base::find_program("dpkg-query");
  if (!query) GTEST_SKIP() << "no dpkg-query on this host";
  Database database(*root_);
  add(database, "settled", State::installed);
  database.checkpoint();
  PackageRecord &fresh = add(database, "fresh", State::triggers_awaited);
  fresh.triggers_awaited = {"settled"};
  fresh.conffiles = {{"/etc/x", "newconffile", false, false}};
  database.note(fresh);
  base::SubprocessResult result = base::run_subprocess({*query, "--admindir=" + root_.at("var/lib/dpkg"), "-W", "-f",
                                                        "${Package} ${Status}${Triggers-Awaited}${Conffiles}\\n"});
  EXPECT_EQ(result.output,
            "fresh install ok triggers-awaited settled /etc/x newconffile\nsettled install ok installed\n");
}

TEST_F(DatabaseTest, FilesHaveOwnersInTheOrderTheyCame) {
  root_->write(admin("info/a.list"), "/.\n/usr\n/usr/a b\n");
  root_->write(admin("info/b:amd64.list"), "/.\n/usr\n");
  root_->write(admin("info/a.md5sums"), "x  usr/a\n");
  FileTable table = FileTable::read(*root_);
  using Names = std::vector<std::string_view>;
  EXPECT_EQ(table.owners("/"), (Names{"a", "b:amd64"}));
  EXPECT_EQ(table.owners("/usr/a b"), (Names{"a"}));
  EXPECT_TRUE(table.owners("/none").empty());
  table.add("/usr", "c");
  table.add("/usr", "a");
  table.remove("/usr", "a");
  EXPECT_EQ(table.owners("/usr"), (Names{"b:amd64", "c"}));
}

TEST_F(DatabaseTest, Diversions) {
  EXPECT_EQ(Diversions::read(*root_).resolve("/bin/sh", "x"), "/bin/sh");
  root_->write(admin("diversions"), "/bin/sh\n/bin/sh.distrib\ndash\n/etc/x\n/etc/x.real\n:\n");
  Diversions diversions = Diversions::read(*root_);
  EXPECT_EQ(diversions.resolve("/bin/sh", "dash"), "/bin/sh");
  EXPECT_EQ(diversions.resolve("/bin/sh", "bash"), "/bin/sh.distrib");
  EXPECT_EQ(diversions.resolve("/etc/x", "any"), "/etc/x.real");
  EXPECT_TRUE(diversions.separates("/bin/sh", "bash", "dash"));
  EXPECT_FALSE(diversions.separates("/bin/sh", "bash", "mksh"));
  EXPECT_FALSE(diversions.separates("/etc/x", "a", ""));
  root_->write(admin("diversions"), "/bin/sh\n/bin/sh.distrib\n");
  EXPECT_EQ(test::thrown_by([&] { return Diversions::read(*root_); }),
            "the diversions file of the root is damaged: its lines do not come in threes");
}

TEST_F(DatabaseTest, Statoverrides) {
  root_.file("/etc/passwd", "root:x:0:0::/:/bin/sh\nman:x:6:12::/:/bin/sh\nodd\n");
  root_.file("/etc/group", "root:x:0:\nssl:x:104:\n");
  AccountNames accounts = AccountNames::read(*root_);
  EXPECT_EQ(accounts.uid("man"), 6U);
  EXPECT_EQ(accounts.gid("man"), std::nullopt);
  root_->write(admin("statoverride"), "man ssl 4755 /usr/bin/with blank\n#33 root 640 /etc/x\n");
  StatOverrides overrides = StatOverrides::read(*root_, accounts);
  const StatOverride *rule = overrides.find("/usr/bin/with blank");
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(std::tuple(rule->uid, rule->gid, rule->mode), std::tuple(6U, 104U, 04755U));
  EXPECT_EQ(overrides.find("/etc/x")->uid, 33U);
  EXPECT_EQ(overrides.find("/etc"), nullptr);
  auto refusal = [&](const std::string &text) {
    root_->write(admin("statoverride"), text);
    return test::thrown_by([&] { return StatOverrides::read(*root_, accounts); });
  };
  EXPECT_EQ(refusal("nobody root 640 /x\n"), "unknown user or group 'nobody' in the statoverride 'nobody root 640 /x'");
  EXPECT_EQ(refusal("#x root 640 /x\n"), "unknown user or group '#x' in the statoverride '#x root 640 /x'");
  EXPECT_EQ(refusal("root root 648 /x\n"), "'root root 648 /x' is no statoverride");
  EXPECT_EQ(refusal("root root 640\n"), "'root root 640' is no statoverride");
}

TEST_F(DatabaseTest, TriggerInterests) {
  Triggers triggers(*root_);
  triggers.add_interest("/usr/lib", "a", true);
  triggers.add_interest("/usr/lib", "b:amd64", false);
  triggers.add_interest("/usr", "a", true);
  triggers.add_interest("rebuild", "a", true);
  triggers.add_interest("rebuild", "b", false);
  triggers.add_interest("rebuild", "a", false);
  EXPECT_EQ(root_->read(admin("triggers/File")), "/usr/lib a\n/usr/lib b:amd64/noawait\n/usr a\n");
  EXPECT_EQ(root_->read(admin("triggers/rebuild")), "b/noawait\na/noawait\n");
  triggers.add_interest("/usr/lib", "a", false);  // keeps its place
  EXPECT_EQ(root_->read(admin("triggers/File")), "/usr/lib a/noawait\n/usr/lib b:amd64/noawait\n/usr a\n");
  for (const Triggers &each : {triggers, Triggers(*root_)}) {
    std::vector<TriggerInterest> interested = each.interested("/usr/lib");
    ASSERT_EQ(interested.size(), 2U);
    EXPECT_EQ(interested[0].package, "b:amd64");  // the latest first
    EXPECT_FALSE(interested[1].is_await);
    EXPECT_TRUE(each.interested("/usr/lib/x").empty());
    EXPECT_EQ(each.interested("rebuild").size(), 2U);
    EXPECT_TRUE(each.interested("unknown").empty());
  }
}

TEST_F(DatabaseTest, TriggerActivationsAreTakenOnce) {
  Triggers triggers(*root_);
  triggers.ensure_files();
  EXPECT_EQ(root_->list(admin("triggers")), (std::vector<std::string>{"Lock", "Unincorp"}));
  EXPECT_EQ(root_->status(admin("triggers/Lock"))->st_mode & 07777U, 0600U);
  EXPECT_TRUE(triggers.take_activations().empty());
  root_->write(admin("triggers/Unincorp"), "/usr/lib p q:amd64\nrebuild -\n\n");
  std::vector<TriggerActivation> taken = triggers.take_activations();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].trigger, "/usr/lib");
  EXPECT_EQ(taken[0].awaiting, (std::vector<std::string>{"p", "q:amd64"}));
  EXPECT_TRUE(taken[1].awaiting.empty());
  EXPECT_TRUE(triggers.take_activations().empty());
}

TEST_F(DatabaseTest, TriggerDirectives) {
  auto directives = parse_trigger_directives(
      "# comment\n\ninterest a\n interest-noawait\t/b # why\ninterest-await c\nactivate d\nactivate-noawait e\n", "p");
  ASSERT_EQ(directives.size(), 5U);
  EXPECT_TRUE(directives[0].is_interest && directives[0].is_await);
  EXPECT_TRUE(directives[1].is_interest && !directives[1].is_await && directives[1].trigger == "/b");
  EXPECT_TRUE(!directives[3].is_interest && directives[3].is_await);
  EXPECT_FALSE(directives[4].is_await);
  for (const char *text : {"interest", "interest a b", "interested a", "activate-later x", "await x"}) {
    EXPECT_EQ(test::thrown_by([&] { return parse_trigger_directives(text, "p_1_all"); }),
              fmt::format("'{}' is no trigger directive\n  from: triggers file of p_1_all", text));
  }
}

}  // namespace
}  // namespace debroot::dpkgdb
