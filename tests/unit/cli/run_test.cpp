#include "cli/run.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/signals.hpp"
#include "console_fixture.hpp"
#include "debroot/error.hpp"

namespace debroot::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Run : public ::testing::Test {
 protected:
  Run() {
    std::string pattern = std::filesystem::temp_directory_path() / "debroot-cli-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    host_.architecture = "amd64";
    host_.user_id = 1000;
    host_.working_directory = directory_;
    host_.environment = {{"HOME", directory_}, {"TMPDIR", directory_}};
    backend_.build = [this](const BuildPlan &plan, Progress &progress, std::stop_token) {
      built_.push_back(plan);
      progress.phase_started(Phase::pack, {});
      if (failure_) throw Error(*failure_);
      progress.phase_finished(Phase::pack, {}, 5);
      BuildReport report;
      report.packages.resize(3);
      return report;
    };
    backend_.plan_packages = [this](const BuildPlan &plan, Progress &, std::stop_token) {
      planned_.push_back(plan);
      BuildReport report;
      report.packages = {{{"a", "1", "all"}, false, 10, "", "", "http://x sid/main", "requested"}};
      return report;
    };
  }
  ~Run() override { std::filesystem::remove_all(directory_); }

  int run_with(const std::vector<std::string> &arguments) {
    return run(arguments, host_, fake_.console, backend_, std::stop_token{});
  }

  std::string directory_;
  plan::HostFacts host_;
  FakeConsole fake_;
  Backend backend_;
  std::optional<Error> failure_;
  std::vector<BuildPlan> built_;
  std::vector<BuildPlan> planned_;
};

TEST_F(Run, BuildsAndSaysSoOnStandardError) {
  EXPECT_EQ(run_with({"build", "bookworm", "-o", "-"}), 0);
  ASSERT_EQ(built_.size(), 1U);
  EXPECT_EQ(built_[0].suite, "bookworm");
  EXPECT_EQ(fake_.out, "");
  EXPECT_EQ(fake_.err,
            "[   0.0 s] pack\n[   0.0 s] pack: done in 0.0 s\n"
            "debroot: made standard output: 3 packages, 0 B downloaded, 0.0 s\n");
}

TEST_F(Run, IsSilentWhenAskedUntilItFails) {
  EXPECT_EQ(run_with({"build", "bookworm", "--quiet"}), 0);
  EXPECT_EQ(fake_.err, "");
  failure_ = Error(ErrorKind::network, "no answer");
  EXPECT_EQ(run_with({"build", "bookworm", "--quiet"}), 1);
  EXPECT_EQ(fake_.err, "debroot: error: no answer\n");
}

TEST_F(Run, RefusesBeforeAnythingIsTouched) {
  EXPECT_EQ(run_with({"build", "bookwrm"}), 2);
  EXPECT_EQ(fake_.err,
            "debroot: error: unknown suite 'bookwrm'\n"
            "  try: did you mean 'bookworm'? or give the archive with --mirror\n");
  fake_.err.clear();
  EXPECT_EQ(run_with({"build", "bookworm", "--jbos", "3"}), 2);
  EXPECT_EQ(fake_.err, "debroot: error: unknown option '--jbos'\n  try: did you mean '--jobs'?\n");
  EXPECT_THAT(built_, IsEmpty());
}

TEST_F(Run, GivesTheStatusOfTheFailure) {
  for (auto [kind, status] : {std::pair(ErrorKind::script, 1), std::pair(ErrorKind::usage, 2),
                              std::pair(ErrorKind::interrupted, 130), std::pair(ErrorKind::internal, 1)}) {
    failure_ = Error(kind, "x");
    EXPECT_EQ(run_with({"build", "bookworm"}), status);
  }
}

TEST_F(Run, SpeaksAsMmdebstrapDoes) {
  EXPECT_EQ(run_with({"mmdebstrap", "--variant=apt", "bookworm", "out.tar", "http://a.org/d"}), 0);
  EXPECT_THAT(fake_.err, HasSubstr("I: automatically chosen mode: unshare\n"));
  EXPECT_THAT(fake_.err, HasSubstr("I: automatically chosen format: tar\n"));
  EXPECT_THAT(fake_.err, ::testing::EndsWith("I: creating tarball...\nI: done\nI: success in 0.0000 seconds\n"));
  fake_.err.clear();
  failure_ = Error(ErrorKind::network, "no answer").detail("from", "x");
  EXPECT_EQ(run_with({"mmdebstrap", "-q", "bookworm", "out.tar", "http://a.org/d"}), 25);
  EXPECT_EQ(fake_.err, "E: no answer\n  from: x\n");
  fake_.err.clear();
  EXPECT_EQ(run_with({"mmdebstrap", "bookworm", "out.tar", "nowhere"}), 25) << "2 is for options";
  EXPECT_THAT(fake_.err, StartsWith("E: 'nowhere' is no mirror\n"));
  fake_.err.clear();
  EXPECT_EQ(run_with({"mmdebstrap", "--jobs", "bookworm"}), 2);
  EXPECT_THAT(fake_.err, ::testing::EndsWith("Usage:\n    mmdebstrap [OPTION...] [SUITE [TARGET [MIRROR...]]]\n\n"));
  EXPECT_EQ(run_with({"mmdebstrap", "--version"}), 0);
  EXPECT_EQ(fake_.out, "mmdebstrap 1.5.7\n");
}

TEST_F(Run, SaysWhichModeAndWhyWhenAsked) {
  EXPECT_EQ(run_with({"mmdebstrap", "-v", "bookworm", "out.tar"}), 0);
  EXPECT_THAT(fake_.err, HasSubstr("I: automatically chosen mode: unshare (the caller is not root)\n"));
  fake_.err.clear();
  EXPECT_EQ(run_with({"build", "bookworm", "--verbose", "-o", "out.tar"}), 0);
  EXPECT_THAT(fake_.err, StartsWith("debroot: note: mode 'unshare', since the caller is not root\n"));
}

TEST_F(Run, TellsFailuresInTheStyleAskedFor) {
  failure_ = Error(ErrorKind::trust, "no signature");
  EXPECT_EQ(run_with({"build", "bookworm", "--progress=json"}), 1);
  auto last = nlohmann::json::parse(fake_.err.substr(fake_.err.rfind('\n', fake_.err.size() - 2) + 1));
  EXPECT_EQ(last["event"], "failed");
  EXPECT_EQ(last["message"], "no signature");
}

TEST_F(Run, ShowsWarningsOfThePlan) {
  std::filesystem::create_directory(directory_ + "/hooks");
  EXPECT_EQ(run_with({"build", "bookworm", "--hook-directory=hooks"}), 0);
  EXPECT_THAT(fake_.err, StartsWith("debroot: warning: hook directory 'hooks' holds no hook\n"));
}

TEST_F(Run, PrintsAPlanOnStandardOutput) {
  EXPECT_EQ(run_with({"plan", "bookworm"}), 0);
  EXPECT_THAT(fake_.out, StartsWith("PACKAGE  VERSION"));
  EXPECT_TRUE(planned_.at(0).is_simulation);
  fake_.out.clear();
  host_.is_stdout_terminal = true;
  EXPECT_EQ(run_with({"plan", "bookworm", "--json", "-o", "-"}), 0);
  EXPECT_EQ(nlohmann::json::parse(fake_.out)["packages"][0]["name"], "a");
  EXPECT_THAT(built_, IsEmpty());
}

TEST_F(Run, SimulatesWithoutStandardOutput) {
  EXPECT_EQ(run_with({"build", "bookworm", "--simulate"}), 0);
  EXPECT_EQ(fake_.out, "");
  EXPECT_THAT(fake_.err, HasSubstr("PACKAGE  VERSION"));
  EXPECT_THAT(built_, IsEmpty());
}

TEST_F(Run, ComparesImages) {
  for (const char *name : {"a", "b"}) {
    std::filesystem::create_directory(directory_ + "/" + name);
    std::ofstream(directory_ + "/" + name + "/f") << "same";
  }
  std::string a = directory_ + "/a";
  std::string b = directory_ + "/b";
  EXPECT_EQ(run_with({"diff", a, b, "--ignore-mtime"}), 0);
  std::ofstream(b + "/f") << "else";
  EXPECT_EQ(run_with({"diff", a, b, "--ignore-mtime"}), 1);
  EXPECT_THAT(fake_.out, HasSubstr("content"));
  EXPECT_EQ(run_with({"diff", a, directory_ + "/missing"}), 2);
  EXPECT_THAT(fake_.err, StartsWith("debroot: error: "));
}

TEST_F(Run, ExaminesTheHost) {
  EXPECT_EQ(run_with({"doctor"}), 2);
  EXPECT_EQ(fake_.err, "debroot: error: this debroot was built without 'doctor'\n");
  backend_.doctor = [](const plan::HostFacts &) {
    return std::vector<DoctorCheck>{{"disk", DoctorState::broken, "full", ""}};
  };
  EXPECT_EQ(run_with({"doctor"}), 1);
  EXPECT_THAT(fake_.out, StartsWith("broken   disk  full\n"));
}

TEST_F(Run, PrintsHelpAndVersion) {
  EXPECT_EQ(run_with({"--help"}), 0);
  EXPECT_THAT(fake_.out, StartsWith("Usage: debroot COMMAND"));
  fake_.out.clear();
  EXPECT_EQ(run_with({"build", "--help"}), 0);
  EXPECT_THAT(fake_.out, StartsWith("Usage: debroot build SUITE"));
  fake_.out.clear();
  EXPECT_EQ(run_with({"--version"}), 0);
  EXPECT_THAT(fake_.out, StartsWith("debroot "));
}

TEST_F(Run, SendsMessagesToTheLog) {
  std::string log;
  std::string path;
  fake_.console.redirect = [&](Console &console, const std::string &given) {
    path = given;
    console.err = [&](std::string_view text) { log += text; };
  };
  EXPECT_EQ(run_with({"build", "bookworm", "--logfile", "build.log"}), 0);
  EXPECT_EQ(path, "build.log");
  EXPECT_EQ(fake_.err, "");
  EXPECT_THAT(log, HasSubstr("debroot: made "));
}

TEST_F(Run, FailsWhenStandardOutputIsGone) {
  fake_.console.out = [](std::string_view) { throw Error(ErrorKind::output, "cannot write: broken pipe"); };
  EXPECT_EQ(run_with({"plan", "bookworm"}), 1);
  EXPECT_EQ(run_with({"--help"}), 1);
  EXPECT_THAT(fake_.err, HasSubstr("debroot: error: cannot write: broken pipe\n"));
}

TEST(SignalStop, RequestsAStopOnce) {
  SignalStop stop;
  EXPECT_FALSE(stop.token().stop_requested());
  EXPECT_EQ(SignalStop::received(), 0);
  ::raise(SIGPIPE);
  EXPECT_FALSE(stop.token().stop_requested());
  ::raise(SIGTERM);
  EXPECT_TRUE(stop.token().stop_requested());
  EXPECT_EQ(SignalStop::received(), SIGTERM);
}

TEST(SignalStopDeathTest, EndsAtTheSecondInterrupt) {
  EXPECT_EXIT(
      {
        SignalStop stop;
        ::raise(SIGINT);
        ::raise(SIGINT);
      },
      ::testing::ExitedWithCode(130), "");
}

TEST(SignalStop, LeavesIgnoredSignalsIgnoredAndPutsTheOthersBack) {
  ::signal(SIGHUP, SIG_IGN);
  {
    SignalStop stop;
    ::raise(SIGHUP);
    EXPECT_FALSE(stop.token().stop_requested());
  }
  EXPECT_EQ(::signal(SIGHUP, SIG_DFL), SIG_IGN);
  EXPECT_EQ(::signal(SIGTERM, SIG_DFL), SIG_DFL);
}

}  // namespace
}  // namespace debroot::cli
