#include "build/root_state.hpp"

#include <gmock/gmock.h>

#include "build/archived_debs.hpp"
#include "build/package_entry.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::build {
namespace {

class RootStateTest : public ::testing::Test {
 protected:
  RootStateTest() {
    for (const char *path :
         {"/etc/apt/sources.list.d", "/etc/apt/preferences.d", "/etc/apt/apt.conf.d", "/var/lib/dpkg"}) {
      root_->make_directories(path);
    }
    root_->write("/etc/apt/sources.list", "deb http://a.example/debian tiny main\n");
  }
  test::ScratchRoot root_;
};

TEST_F(RootStateTest, ReadsWhatAptReads) {
  root_->write("/etc/apt/sources.list.d/b.sources", "Types: deb\nURIs: http://b.example/\nSuites: ./\n");
  root_->write("/etc/apt/sources.list.d/a.list", "deb http://c.example/x tiny extra\n");
  root_->write("/etc/apt/sources.list.d/a.list.save", "nonsense");
  root_->write("/etc/apt/preferences.d/pin", "Package: a\nPin: release n=tiny\nPin-Priority: 700\n");
  root_->write("/etc/apt/preferences.d/pin.bak", "nonsense");
  root_->write("/etc/apt/apt.conf.d/10x", "Acquire::http::Proxy \"http://one/\";\n");
  root_->write("/etc/apt/apt.conf", "Acquire::http::Proxy \"http://two/\";\n");
  RootState state = read_root_state(*root_);
  SourceEntry with_password;
  with_password.archive_root = "http://me:secret@a.example/debian";
  std::vector<SourcesFile> known = {
      {"/etc/apt/sources.list", "deb http://a.example/debian tiny main\n", {with_password}}};
  std::vector<SourcesFile> sources = sources_in(state, known, "amd64");
  ASSERT_EQ(sources.size(), 3U);
  EXPECT_EQ(sources[0].entries[0].archive_root, "http://me:secret@a.example/debian");
  EXPECT_EQ(sources[1].entries[0].components, std::vector<std::string>{"extra"});
  EXPECT_EQ(sources[2].path, "/etc/apt/sources.list.d/b.sources");
  EXPECT_FALSE(are_same_sources(sources, known));
  EXPECT_TRUE(are_same_sources(sources, sources));
  EXPECT_EQ(apt_config_in(state).find("acquire::http::proxy"), "http://two/");
  ASSERT_EQ(preferences_in(state).size(), 1U);
  EXPECT_EQ(preferences_in(state)[0].priority, 700);
}

TEST_F(RootStateTest, SaysWhereItCannotRead) {
  root_->write("/etc/apt/sources.list.d/x.list", "bed http://x\n");
  EXPECT_THAT(test::thrown_by([&] { return sources_in(read_root_state(*root_), {}, "amd64"); }),
              testing::HasSubstr("/etc/apt/sources.list.d/x.list"));
}

TEST_F(RootStateTest, InstalledPackagesCount) {
  std::string status =
      "Package: whole\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"
      "Package: held\nStatus: hold ok installed\nArchitecture: all\nVersion: 1\n\n"
      "Package: half\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\n\n"
      "Package: last\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\nProvides: thing\n";
  debian::PackageIndex index;
  auto refs = add_installed_packages(index, status);
  index.seal();
  ASSERT_EQ(refs.size(), 3U);
  EXPECT_EQ(index.at(refs[0]).name, "whole");
  EXPECT_EQ(index.at(refs[1]).name, "held");
  EXPECT_EQ(index.at(refs[2]).name, "last");
  EXPECT_EQ(index.providing("thing").size(), 1U);
  EXPECT_TRUE(add_installed_packages(index, "").empty());
}

TEST_F(RootStateTest, InstalledPackagesAreThoseOfTheArchiveWhereAptCannotTellThemApart) {
  std::string listed =
      "Package: a\nArchitecture: all\nVersion: 1\nInstalled-Size: 5\nDepends: b (>= 2), c\nSHA256: 00\n\n";
  std::string status =
      "Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nInstalled-Size: 5\n"
      "Depends: b (>=2),\n  C\n\n";
  for (const char *other : {"", "Breaks: d\n"}) {
    debian::PackageIndex index;
    std::uint32_t archive = index.add_source({});
    index.add(package_entry(listed, archive, "listed"));
    std::string installed = status;
    installed.insert(installed.size() - 1, other);
    auto refs = add_installed_packages(index, installed);
    ASSERT_EQ(refs.size(), 1U);
    bool is_same = *other == '\0';
    EXPECT_EQ(index.packages().size(), is_same ? 1U : 2U);
    EXPECT_EQ(index.at(refs[0]).sources.size(), is_same ? 2U : 1U);
  }
}

TEST_F(RootStateTest, HooksHaveASayByWhatAptWouldReadOfTheirs) {
  RootState before = read_root_state(*root_);
  EXPECT_FALSE(has_say(before, before));
  auto changed = [&](const std::string &path, const std::string &text) {
    root_->write(path, text);
    bool has = has_say(before, read_root_state(*root_));
    root_->remove_tree(path);
    return has;
  };
  EXPECT_TRUE(changed("/etc/apt/sources.list.d/new.list", "deb http://b.example/debian tiny main\n"));
  EXPECT_TRUE(changed("/etc/apt/preferences.d/new", "Package: a\nPin: version 1\nPin-Priority: 9\n"));
  EXPECT_TRUE(changed("/etc/apt/apt.conf.d/new", "APT::Install-Recommends \"true\";\n"));
  EXPECT_TRUE(changed("/var/lib/dpkg/status", "Package: a\n"));
}

TEST_F(RootStateTest, SourcesCountThatWereKnownOrAreUpdated) {
  std::vector<SourcesFile> known = sources_in(read_root_state(*root_), {}, "amd64");
  root_->write("/etc/apt/sources.list.d/new.list",
               "deb http://b.example/debian tiny main\ndeb http://c.example/x old main\ndeb http://d.example/ ./\n");
  RootState state = read_root_state(*root_);
  auto roots = [&](const std::vector<std::string> &lists) {
    std::string out;
    for (const SourcesFile &file : updated_sources(sources_in(state, known, "amd64"), known, lists)) {
      for (const SourceEntry &entry : file.entries) out += entry.archive_root + " ";
    }
    return out;
  };
  EXPECT_EQ(roots({}), "http://a.example/debian ");
  EXPECT_EQ(roots({"b.example_debian_dists_tiny_InRelease"}), "http://a.example/debian http://b.example/debian ");
  EXPECT_EQ(roots({"c.example_x_dists_old_Release", "d.example_._InRelease"}),
            "http://a.example/debian http://c.example/x http://d.example ");
  root_->write("/etc/apt/sources.list", "");
  state = read_root_state(*root_);
  EXPECT_EQ(roots({}), "") << "what is gone is known no more";
}

TEST(DebFileName, IsApts) {
  EXPECT_EQ(deb_file_name({"busybox-static", "1:1.35.0-4+deb12u1+b1", "amd64"}),
            "busybox-static_1%3a1.35.0-4+deb12u1+b1_amd64.deb");
  EXPECT_EQ(deb_file_name({"a", "1_2~3", "all"}), "a_1%5f2~3_all.deb");
}

}  // namespace
}  // namespace debroot::build
