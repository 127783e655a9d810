#include "unpack/placer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "support/checked_deb.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::unpack {
namespace {

using test::DebBuilder;
using test::EntryAttributes;
using test::thrown_by;

/// Entries owned by whoever runs the test, so that no privilege is needed.
EntryAttributes own(std::optional<unsigned> mode = std::nullopt) {
  return {.mode = mode, .uid = ::getuid(), .gid = ::getgid(), .user = "", .group = ""};
}

/// Packages are placed one after the other into one root.
class PlacerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_->make_directories("/var/lib/dpkg/info");
    stage_->make_directories("/stage");
  }

  StagedPackage stage(const DebBuilder &builder, const PathFilter &filter = {}) {
    return stage_package(test::checked(builder), subject_of(builder), *stage_, std::to_string(stages_++), filter);
  }
  static std::string subject_of(const DebBuilder &builder) {
    return builder.name() + "_" + builder.version() + "_" + builder.architecture();
  }

  Placed place(const StagedPackage &staged, const ExtractedFiles *extracted = nullptr,
               const StagedPackage *again = nullptr) {
    dpkgdb::PackageRecord &record = database_.add(deb822::Stanza::parse(staged.control.find("control")->content));
    record.conffiles = declared_conffiles(staged.control, staged.subject);
    record.state = dpkgdb::State::half_installed;
    auto accounts = dpkgdb::AccountNames::read(*root_);
    auto overrides = dpkgdb::StatOverrides::read(*root_, accounts);
    auto restage = [&]() -> const StagedPackage & {
      ++restagings_;
      return *again;
    };
    PlaceContext context{*root_,    database_, files_, dpkgdb::Diversions::read(*root_), accounts, overrides,
                         unpacked_, extracted, restage};
    Placed placed = place_package(staged, record, context);
    record.state = dpkgdb::State::unpacked;
    return placed;
  }
  Placed place(const DebBuilder &builder, const PathFilter &filter = {}) { return place(stage(builder, filter)); }

  /// A package that brings one file.
  static DebBuilder package(const std::string &name, const std::string &path, const std::string &content) {
    return DebBuilder(name, "1", "all").without_implied_directories().file(path, content, own());
  }
  [[nodiscard]] unsigned mode(const std::string &path) const { return root_->status(path)->st_mode & 07777U; }
  [[nodiscard]] std::int64_t mtime(const std::string &path) const { return root_->status(path)->st_mtime; }

  test::ScratchRoot root_;
  test::ScratchRoot stage_;
  dpkgdb::Database database_{*root_};
  dpkgdb::FileTable files_;
  base::KnownFiles unpacked_;
  unsigned stages_ = 0;
  unsigned restagings_ = 0;
};

TEST_F(PlacerTest, NotesFilesUntilSomebodyWritesThem) {
  DebBuilder builder =
      package("p", "usr/kept", "one").file("usr/written", "two", own()).conffile("etc/c", "three", own());
  builder.file("usr/linked", "four", own()).hard_link("usr/other", "usr/linked");
  place(builder);
  auto number = [&](const char *path) {
    struct stat info = root_->status(path).value();
    return unpacked_.number_of({info.st_ino, static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec,
                                static_cast<std::uint32_t>(info.st_mtim.tv_nsec)});
  };
  EXPECT_EQ(number("/usr/kept"), 0U);
  EXPECT_EQ(number("/usr/written"), 1U);
  EXPECT_EQ(number("/etc/c.dpkg-new"), 2U);
  EXPECT_EQ(number("/usr/other"), 3U);
  base::write_all(root_->open_file("/usr/written", O_WRONLY).get(), "too");
  EXPECT_EQ(number("/usr/written"), std::nullopt);
  root_->rename("/usr/kept", "/usr/moved");
  root_->set_mode("/usr/moved", 0700);
  EXPECT_EQ(number("/usr/moved"), 0U) << "its content is the same";
  root_->replace("/usr/linked", "four");
  EXPECT_EQ(number("/usr/linked"), std::nullopt) << "another file";
}

TEST_F(PlacerTest, EntriesGetModeTimeAndOwner) {
  DebBuilder builder("p", "1", "all");
  builder.directory("/", own()).directory("/d", own(02750)).file("/d/f", "text", own(04711));
  builder.symlink("/d/l", "f", own()).hard_link("/d/h", "/d/f", own(04711)).fifo("/d/p", own(0600));
  Placed placed = place(builder);
  EXPECT_EQ(placed.list, (std::vector<std::string>{"/.", "/d", "/d/f", "/d/h", "/d/p", "/d/l"}));
  EXPECT_EQ(mode("/d"), 02750U);
  EXPECT_EQ(mode("/d/f"), 04711U);
  EXPECT_EQ(root_->read("/d/f"), "text");
  EXPECT_EQ(root_->status("/d/f")->st_ino, root_->status("/d/h")->st_ino);
  EXPECT_TRUE(S_ISFIFO(root_->status("/d/p")->st_mode));
  EXPECT_EQ(root_->link_target("/d/l"), "f");
  for (const char *path : {"/d/f", "/d/p", "/d/l"}) EXPECT_EQ(mtime(path), test::kBuilderTime) << path;
  EXPECT_NE(mtime("/d"), test::kBuilderTime);  // files were created in it afterwards
}

TEST_F(PlacerTest, MissingParentsAreMade) {
  place(package("p", "/a/b/c", "x"));
  EXPECT_EQ(root_->read("/a/b/c"), "x");
  EXPECT_EQ(mode("/a/b"), 0755U);
}

TEST_F(PlacerTest, NothingIsMadeForWhatIsLeftOut) {
  PathFilter filter;
  filter.exclude("/doc/*");
  DebBuilder builder("p", "1", "all");
  builder.directory("/doc", own()).directory("/doc/p", own()).directory("/doc/p/more", own());
  builder.file("/doc/p/more/f", "text", own()).symlink("/doc/p/l", "more", own());
  Placed placed = place(builder, filter);
  EXPECT_TRUE(root_->list("/doc").empty());
  EXPECT_EQ(placed.list,
            (std::vector<std::string>{"/.", "/doc", "/doc/p", "/doc/p/more", "/doc/p/more/f", "/doc/p/l"}));
}

TEST_F(PlacerTest, LinksInTheRootCannotLeadOut) {
  root_->make_link("/lib", "/../../../../tmp");
  root_->make_directories("/tmp");
  place(package("p", "/lib/debroot-escape", "x"));
  EXPECT_EQ(root_->read("/tmp/debroot-escape"), "x");
}

TEST_F(PlacerTest, AMergedUsrStays) {
  root_->make_directories("/usr/bin", 0700);
  root_->make_link("/bin", "usr/bin");
  DebBuilder builder("p", "1", "all");
  builder.directory("/bin", own()).file("/bin/tool", "t", own());
  place(builder);
  EXPECT_EQ(root_->link_target("/bin"), "usr/bin");
  EXPECT_EQ(root_->read("/usr/bin/tool"), "t");
  EXPECT_EQ(mode("/usr/bin"), 0700U);
}

TEST_F(PlacerTest, ADirectoryIsNeverReplacedByALink) {
  root_.file("/d/x", "x");
  place(DebBuilder("p", "1", "all").symlink("/d", "elsewhere", own()));
  EXPECT_EQ(root_->read("/d/x"), "x");
}

TEST_F(PlacerTest, ConffilesStayAside) {
  root_.file("/etc/x", "mine");
  place(DebBuilder("p", "1", "all").directory("/etc", own()).conffile("/etc/x", "theirs", own(0600)));
  EXPECT_EQ(root_->read("/etc/x"), "mine");
  EXPECT_EQ(root_->read("/etc/x.dpkg-new"), "theirs");
  EXPECT_EQ(mode("/etc/x.dpkg-new"), 0600U);
}

TEST_F(PlacerTest, DivertedFilesGoElsewhere) {
  root_.file("/var/lib/dpkg/diversions", "/x\n/x.real\nother\n");
  Placed placed = place(package("p", "/x", "p's"));
  EXPECT_EQ(root_->read("/x.real"), "p's");
  EXPECT_FALSE(root_->exists("/x"));
  EXPECT_EQ(placed.list, (std::vector<std::string>{"/x"}));
  EXPECT_EQ(placed.changed, (std::vector<std::string>{"/x.real"}));
  place(package("other", "/x", "other's"));
  EXPECT_EQ(root_->read("/x"), "other's");
}

TEST_F(PlacerTest, StatoverridesWin) {
  root_.file("/var/lib/dpkg/statoverride", fmt::format("#{} #{} 2710 /x\n", ::getuid(), ::getgid()));
  place(package("p", "/x", "x"));
  EXPECT_EQ(mode("/x"), 02710U);
  EXPECT_EQ(mtime("/x"), test::kBuilderTime);
}

TEST_F(PlacerTest, NamesOfOwnersWinOverNumbers) {
  root_.file("/etc/passwd", fmt::format("tester:x:{}:0::/:\n", ::getuid()));
  root_.file("/etc/group", fmt::format("testers:x:{}:\n", ::getgid()));
  EntryAttributes attributes = own();
  attributes.user = "tester";
  attributes.group = "testers";
  DebBuilder builder("p", "1", "all");
  place(builder.without_implied_directories().symlink("/l", "x", attributes));
  EXPECT_EQ(root_->status("/l")->st_uid, ::getuid());
}

TEST_F(PlacerTest, FilesOfOthersAreAnErrorThatNamesThem) {
  place(package("a", "/x", "a"));
  ErrorKind kind = ErrorKind::internal;
  EXPECT_EQ(thrown_by([&] { return place(package("b", "/x", "b")); }, &kind),
            "cannot unpack '/x' of package 'b_1_all': package 'a_1_all' has it too");
  EXPECT_EQ(kind, ErrorKind::package);
  EXPECT_EQ(root_->read("/x"), "a");
  place(DebBuilder("d", "1", "all").directory("/dir", own()));
  EXPECT_EQ(thrown_by([&] { return place(package("f", "/dir", "f")); }),
            "cannot unpack '/dir' of package 'f_1_all': package 'd_1_all' has it as a directory");
}

TEST_F(PlacerTest, ReplacesTakesFilesOverInItsVersions) {
  place(package("old", "/x", "old"));
  Placed placed = place(package("new", "/x", "new").field("Replaces", "old (<< 2)"));
  EXPECT_EQ(placed.takeovers, (std::vector<std::string>{"old"}));
  EXPECT_EQ(files_.owners("/x"), (std::vector<std::string_view>{"new"}));
  EXPECT_EQ(root_->read("/x"), "new");
  EXPECT_EQ(thrown_by([&] { return place(package("next", "/x", "").field("Replaces", "new (>= 2)")); }),
            "cannot unpack '/x' of package 'next_1_all': package 'new_1_all' has it too");
}

TEST_F(PlacerTest, ReplacesWorksForTheOneThatCameFirst) {
  place(package("keeper", "/x", "keeper").field("Replaces", "late"));
  Placed placed = place(package("late", "/x", "late"));
  EXPECT_EQ(root_->read("/x"), "keeper");
  EXPECT_TRUE(placed.list.empty());
}

TEST_F(PlacerTest, RemovedPackagesOwnNothing) {
  place(package("a", "/x", "a"));
  database_.find({"a", "all"})->state = dpkgdb::State::config_files;
  place(package("b", "/x", "b"));
  EXPECT_EQ(root_->read("/x"), "b");
}

TEST_F(PlacerTest, TwoArchitecturesShareEqualFilesOnly) {
  auto library = [](const std::string &architecture, const std::string &content) {
    DebBuilder builder("lib", "1", architecture);
    return builder.field("Multi-Arch", "same").without_implied_directories().file("/x", content, own());
  };
  place(library("amd64", "same"));
  ino_t inode = root_->status("/x")->st_ino;
  place(library("i386", "same"));
  EXPECT_EQ(root_->status("/x")->st_ino, inode);
  EXPECT_EQ(
      thrown_by([&] { return place(library("arm64", "other")); }),
      "cannot unpack '/x' of package 'lib_1_arm64': the package's other architecture has it with another content");
}

TEST_F(PlacerTest, WhatTheFilterLeavesOutIsListedNevertheless) {
  PathFilter filter;
  filter.exclude("/doc/*");
  DebBuilder builder("p", "1", "all");
  builder.directory("/", own()).directory("/doc", own()).file("/doc/x", "x", own()).file("/y", "y", own());
  Placed placed = place(builder, filter);
  EXPECT_FALSE(root_->exists("/doc/x"));
  EXPECT_TRUE(root_->exists("/doc"));
  EXPECT_EQ(placed.list, (std::vector<std::string>{"/.", "/doc", "/doc/x", "/y"}));
}

TEST_F(PlacerTest, DigestsAreTakenWhereThePackageBringsNone) {
  StagedPackage staged = stage(package("p", "/x", "abc").without_md5sums().hard_link("/y", "/x", own()));
  EXPECT_EQ(staged.entries[0].md5, "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(staged.entries[1].md5, staged.entries[0].md5) << "that of the file a hard link names";
  EXPECT_EQ(stage(package("q", "/x", "abc")).entries[0].md5, "");
}

TEST_F(PlacerTest, ExtractionSetsTimesOfDirectoriesPlacingTouchesThem) {
  DebBuilder builder("p", "1", "all");
  builder.directory("/", own()).directory("/d", own(0750)).file("/d/f", "f", own()).directory("/empty", own());
  StagedPackage staged = stage(builder);
  ExtractedFiles extracted;
  extract_package(*root_, staged, {}, extracted, unpacked_);
  EXPECT_EQ(mtime("/d"), test::kBuilderTime);
  ino_t inode = root_->status("/d/f")->st_ino;
  staged.bodies = {};
  place(staged, &extracted);
  EXPECT_EQ(root_->status("/d/f")->st_ino, inode);  // nothing was written again
  EXPECT_EQ(restagings_, 0U);
  EXPECT_NE(mtime("/d"), test::kBuilderTime);
  EXPECT_EQ(mtime("/empty"), test::kBuilderTime);
}

// What GNU tar 1.34 does with the same archives, tried with tar itself.
TEST_F(PlacerTest, ExtractionLosesTheTimesThatTarLoses) {
  DebBuilder builder("p", "1", "all");
  builder.directory("/", own()).directory("/left", own()).directory("/left/deep", own()).directory("/last", own());
  builder.directory("/last/deep", own()).symlink("/last/link", "deep", own()).symlink("/last/up", "../x", own());
  builder.symlink("/left/link", "y", own());  // links come behind everything else, as dpkg-deb orders them
  ExtractedFiles extracted;
  extract_package(*root_, stage(builder), {}, extracted, unpacked_);
  EXPECT_NE(mtime("/left"), test::kBuilderTime) << "left long before its link came";
  EXPECT_EQ(mtime("/last"), test::kBuilderTime) << "not left yet when its links came";
  EXPECT_EQ(mtime("/left/deep"), test::kBuilderTime);
}

TEST_F(PlacerTest, ExtractionReplacesWhatIsThere) {
  root_.file("/f", "before", 0600);
  root_->make_directories("/d", 0700);
  root_->make_link("/link", "d");
  root_->write("/was-file", "x");
  DebBuilder builder("p", "1", "all");
  builder.directory("/", own()).directory("/d", own(0755)).directory("/link", own()).directory("/was-file", own());
  builder.file("/f", "after", own());
  ExtractedFiles extracted;
  extract_package(*root_, stage(builder), {}, extracted, unpacked_);
  EXPECT_EQ(root_->read("/f"), "after");
  EXPECT_EQ(mode("/f"), 0644U);
  EXPECT_EQ(mode("/d"), 0755U);
  EXPECT_EQ(root_->link_target("/link"), "d");
  EXPECT_TRUE(S_ISDIR(root_->status("/was-file")->st_mode));
}

TEST_F(PlacerTest, FilesChangedSinceExtractionAreStagedAgain) {
  DebBuilder builder = package("p", "/kept", "k").file("/removed", "r", own()).file("/changed", "c", own());
  StagedPackage staged = stage(builder);
  ExtractedFiles extracted;
  extract_package(*root_, staged, {}, extracted, unpacked_);
  staged.bodies = {};
  root_->remove_file("/removed");
  root_->write("/changed", "by a script");
  StagedPackage again = stage(builder);
  place(staged, &extracted, &again);
  EXPECT_EQ(restagings_, 2U);
  EXPECT_EQ(root_->read("/removed"), "r");
  EXPECT_EQ(root_->read("/changed"), "c");
}

TEST_F(PlacerTest, DeclaredConffiles) {
  auto conffiles = [&](const std::string &text) {
    return declared_conffiles(stage(package("p", "/x", "").control_file("conffiles", text)).control, "p_1_all");
  };
  std::vector<dpkgdb::Conffile> read = conffiles("/etc/a b \n\nremove-on-upgrade /etc/gone\n");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].path, "/etc/a b");
  EXPECT_EQ(read[0].hash, "newconffile");
  EXPECT_TRUE(read[1].is_remove_on_upgrade);
  EXPECT_EQ(thrown_by([&] { return conffiles("etc/x\n"); }),
            "cannot read the conffiles of package 'p_1_all': 'etc/x' is no path");
}

TEST_F(PlacerTest, ForeignOwnersNeedRoot) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may give files to anybody";
  DebBuilder builder("p", "1", "all");
  builder.without_implied_directories().file("/x", "x", {.uid = 1, .gid = 1, .user = "", .group = ""});
  EXPECT_EQ(thrown_by([&] { return stage(builder); }),
            "cannot set owner and mode of '/x': operation not permitted\n  while: unpacking p_1_all");
}

}  // namespace
}  // namespace debroot::unpack
