#include "plan/mirrors.hpp"

#include <gmock/gmock.h>

#include "plan/suites.hpp"
#include "plan_fixture.hpp"

namespace debroot::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Mirrors : public ::testing::Test {
 protected:
  std::vector<SourcesFile> make(std::vector<std::string> mirrors, const std::string &suite = "bookworm",
                                const std::string &architecture = "amd64") {
    return make_sources({suite, architecture, {"main"}, std::move(mirrors)}, host_, warnings_);
  }
  std::string default_text(const std::string &suite, const std::string &architecture = "amd64") {
    auto files = make({}, suite, architecture);
    EXPECT_EQ(files.at(0).path, "/etc/apt/sources.list");
    return files.at(0).text;
  }

  ScratchDirectory directory_;
  HostFacts host_ = make_host(directory_.path());
  std::vector<std::string> warnings_;
};

TEST_F(Mirrors, DefaultToTheSuitesOwnArchive) {
  EXPECT_EQ(default_text("bookworm"),
            "deb http://deb.debian.org/debian bookworm main\n"
            "deb http://deb.debian.org/debian bookworm-updates main\n"
            "deb http://security.debian.org/debian-security bookworm-security main\n");
  EXPECT_EQ(default_text("buster"),
            "deb http://deb.debian.org/debian buster main\n"
            "deb http://deb.debian.org/debian buster-updates main\n"
            "deb http://security.debian.org/debian-security buster/updates main\n");
  for (const char *suite : {"sid", "unstable", "testing", "forky", "experimental"}) {
    EXPECT_EQ(default_text(suite), std::string("deb http://deb.debian.org/debian ") + suite + " main\n");
  }
  EXPECT_EQ(default_text("noble"),
            "deb http://archive.ubuntu.com/ubuntu noble main\n"
            "deb http://archive.ubuntu.com/ubuntu noble-updates main\n"
            "deb http://security.ubuntu.com/ubuntu noble-security main\n");
  EXPECT_EQ(default_text("noble", "arm64"),
            "deb http://ports.ubuntu.com/ubuntu-ports noble main\n"
            "deb http://ports.ubuntu.com/ubuntu-ports noble-updates main\n"
            "deb http://ports.ubuntu.com/ubuntu-ports noble-security main\n");
}

TEST_F(Mirrors, HaveEntriesBesideTheText) {
  auto files = make({});
  ASSERT_THAT(files, SizeIs(1));
  ASSERT_THAT(files[0].entries, SizeIs(3));
  EXPECT_EQ(files[0].entries[2].archive_root, "http://security.debian.org/debian-security");
  EXPECT_EQ(files[0].entries[2].suite, "bookworm-security");
  EXPECT_THAT(files[0].entries[2].components, ElementsAre("main"));
}

TEST_F(Mirrors, RefuseUnknownSuitesWithoutAnArchive) {
  EXPECT_EQ(refusal([&] { make({}, "bulseye"); }),
            "unknown suite 'bulseye'\ntry: did you mean 'bullseye'? or give the archive with --mirror");
  EXPECT_EQ(refusal([&] { make({}, "corporate"); }),
            "unknown suite 'corporate'\ntry: give the archive that has it with --mirror");
  EXPECT_EQ(refusal([&] { make({}, "bookworm-backports"); }),
            "unknown suite 'bookworm-backports'\ntry: build 'bookworm', with --mirror for each of its sources; "
            "'bookworm-backports' alone is no whole system");
  EXPECT_NO_THROW(make({"http://corp.example.org/d"}, "corporate"));
}

TEST_F(Mirrors, AreMergedWhileUnnamedAndOfOneStyle) {
  auto files = make({"http://a.org/d", "deb http://b.org/d x main"});
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].path, "/etc/apt/sources.list");
  EXPECT_EQ(files[0].text, "deb http://a.org/d bookworm main\n\ndeb http://b.org/d x main\n");
  EXPECT_THAT(files[0].entries, SizeIs(2));
}

TEST_F(Mirrors, NameFilesByPlaceAndStyle) {
  directory_.write("corp", "Types: deb\nURIs: http://c.org/d\nSuites: x\nComponents: main\n");
  directory_.write("old.list", "deb http://o.org/d x main\n");
  auto files = make({"http://a.org/d", "corp", "./old.list", "http://b.org/d"});
  ASSERT_THAT(files, SizeIs(4));
  EXPECT_EQ(files[0].path, "/etc/apt/sources.list");
  EXPECT_EQ(files[1].path, "/etc/apt/sources.list.d/0001corp.sources");
  EXPECT_EQ(files[2].path, "/etc/apt/sources.list.d/0002old.list");
  EXPECT_EQ(files[3].path, "/etc/apt/sources.list.d/0003main.list");
  EXPECT_EQ(make({"old.list"}).at(0).path, "/etc/apt/sources.list.d/0000old.list");
}

TEST_F(Mirrors, ReadStandardInputOnce) {
  host_.read_standard_input = [] {
    return std::string("Types: deb\nURIs: http://c.org/d\nSuites: x\nComponents: main\n");
  };
  auto files = make({"-"});
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].path, "/etc/apt/sources.list.d/0000main.sources");
  EXPECT_EQ(refusal([&] { make({"-", "-"}); }), "'--mirror -' is given twice: standard input ends only once");
}

TEST_F(Mirrors, KeepPasswordsForTheFetcherOnly) {
  auto files = make({"https://joe:secret@a.org/d"});
  EXPECT_EQ(files[0].text, "deb https://a.org/d bookworm main\n");
  EXPECT_EQ(files[0].entries[0].archive_root, "https://joe:secret@a.org/d");
}

TEST_F(Mirrors, WarnOfAFileThatNamesNothing) {
  directory_.write("empty.list", "# nothing\n");
  EXPECT_THAT(make({"empty.list", ""}), IsEmpty());
  EXPECT_THAT(warnings_, ElementsAre("mirror 'empty.list' names no source and is ignored"));
}

TEST_F(Mirrors, RefuseWhatIsNone) {
  EXPECT_EQ(refusal([&] { make({"nowhere"}); }),
            "'nowhere' is no mirror\nexpected: a URI, a 'deb …' line, the name of a sources file, or '-' for standard "
            "input");
  EXPECT_EQ(refusal([&] { make({"http://a.org/d sid"}); }),
            "'http://a.org/d sid' is no mirror: a URI has no blanks, quotes or brackets");
  EXPECT_EQ(refusal([&] { make({"deb http://a.org/d"}); }),
            "cannot use source '--mirror:1': no suite is named\ngot: deb http://a.org/d");
}

TEST(ArchivedSources, AreWhereOldSuitesAreKept) {
  ScratchDirectory directory;
  HostFacts host = make_host(directory.path());
  std::vector<std::string> warnings;
  BuildPlan plan;
  auto archived = [&](const std::string &suite) {
    plan.suite = suite;
    plan.sources = make_sources({suite, "amd64", {"main", "contrib"}, {}}, host, warnings);
    return archived_sources(plan);
  };
  plan.has_default_sources = true;
  auto files = archived("buster");
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].path, "/etc/apt/sources.list");
  EXPECT_EQ(files[0].text,
            "deb [check-valid-until=no] http://archive.debian.org/debian buster main contrib\n"
            "deb [check-valid-until=no] http://archive.debian.org/debian-security buster/updates main contrib\n");
  EXPECT_THAT(archived("bullseye").at(0).text, ::testing::HasSubstr(" bullseye-security "));
  EXPECT_THAT(archived("eoan").at(0).text,
              ::testing::HasSubstr("http://old-releases.ubuntu.com/ubuntu eoan-security "));
  EXPECT_THAT(archived("sid"), IsEmpty());
  plan.has_default_sources = false;
  EXPECT_THAT(archived("buster"), IsEmpty());
}

}  // namespace
}  // namespace debroot::plan
