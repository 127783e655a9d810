#include "cli/renderer.hpp"

#include <gmock/gmock.h>

#include "cli/phase_text.hpp"
#include "console_fixture.hpp"

namespace debroot::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

BuildReport sample_report() {
  BuildReport report;
  report.packages.resize(167);
  report.download_bytes = 54'000'000;
  report.output_bytes = 184'000'000;
  report.milliseconds = 9'800;
  report.source_date_epoch = 1700000000;
  report.times = {{Phase::indexes, 900}, {Phase::pack, 300}};
  report.random_paths = {"/etc/ssh/ssh_host_rsa_key"};
  return report;
}

BuildPlan sample_plan() {
  BuildPlan plan;
  plan.outputs = {{"x.tar", Format::tar, Compression::none}};
  return plan;
}

TEST(PhaseText, CountsInTheUnitOfThePhase) {
  EXPECT_EQ(items_text(Phase::download, {3, 167, 0, 0}), "3/167 packages");
  EXPECT_EQ(items_text(Phase::indexes, {1, 1, 0, 0}), "1 file");
  EXPECT_EQ(items_text(Phase::pack, {9000, 0, 0, 0}), "9000 entries");
  EXPECT_EQ(items_text(Phase::customize, {0, 1, 0, 0}), "0/1 step");
  EXPECT_EQ(items_text(Phase::resolve, {}), "");
  EXPECT_EQ(bytes_text({0, 0, 34'000'000, 54'000'000}), "34 MB/54 MB");
  EXPECT_EQ(bytes_text({0, 0, 54'000'000, 0}), "54 MB");
  EXPECT_EQ(count_text(Phase::download, {167, 167, 54'000'000, 54'000'000}), "167 packages, 54 MB");
  EXPECT_EQ(total_text(Phase::download, {0, 167, 0, 0}), "167 packages");
  EXPECT_EQ(duration_text(44), "0.0 s");
  EXPECT_EQ(duration_text(59'949), "59.9 s");
  EXPECT_EQ(duration_text(59'960), "1 min 00 s");
  EXPECT_EQ(duration_text(125'400), "2 min 05 s");
}

class Terminal : public ::testing::Test {
 protected:
  void use(unsigned width, Verbosity verbosity = Verbosity::normal) {
    fake_.width = width;
    fake_.console.is_err_terminal = true;
    fake_.console.uses_unicode = true;
    renderer_ = make_renderer(ProgressStyle::automatic, verbosity, fake_.console);
  }
  std::vector<std::string> screen() {
    FakeTerminal terminal(fake_.width);
    terminal.feed(fake_.err);
    is_cursor_shown_ = terminal.is_cursor_shown();
    return terminal.lines();
  }

  FakeConsole fake_;
  std::unique_ptr<Renderer> renderer_;
  bool is_cursor_shown_ = false;
};

TEST_F(Terminal, ShowsPhasesAtWorkBelowFinishedOnes) {
  use(100);
  renderer_->phase_started(Phase::indexes, {});
  fake_.now_ms += 900;
  renderer_->phase_finished(Phase::indexes, {3, 3, 8'400'000, 8'400'000}, 900);
  renderer_->phase_started(Phase::download, {0, 167, 0, 54'000'000});
  renderer_->phase_started(Phase::unpack, {0, 167, 0, 0});
  fake_.now_ms += 2'100;
  renderer_->phase_advanced(Phase::download, {83, 167, 27'000'000, 54'000'000}, "bash_5.2.15-2+b7_amd64");
  EXPECT_THAT(screen(), ElementsAre("✓ indexes     3 files, 8.4 MB                      0.9 s",
                                    "⠹ download    ━━━━━━━━────────    83/167 packages    27 MB/54 MB       2.1 s  "
                                    "bash_5.2.15-2+b7_amd6",
                                    "⠹ unpack      ────────────────     0/167 packages                      2.1 s"));
  EXPECT_FALSE(is_cursor_shown_);
  renderer_->phase_finished(Phase::download, {}, 2'200);
  renderer_->phase_finished(Phase::unpack, {167, 167, 0, 0}, 2'300);
  renderer_->close();
  EXPECT_THAT(screen(), ElementsAre("✓ indexes     3 files, 8.4 MB                      0.9 s",
                                    "✓ download    83/167 packages, 27 MB/54 MB         2.2 s",
                                    "✓ unpack      167 packages                         2.3 s"));
  EXPECT_TRUE(is_cursor_shown_);
}

TEST_F(Terminal, DropsWhatDoesNotFit) {
  const std::vector<std::pair<unsigned, std::string>> cases = {
      {80, "⠋ download    ━━━━━━━━────────    83/167 packages    27 MB/54 MB       0.0 s"},
      {72, "⠋ download    ━━━━━──────    83/167 packages    27 MB/54 MB       0.0 s"},
      {60, "⠋ download      83/167 packages    27 MB/54 MB       0.0 s"},
      {50, "⠋ download      83/167 packages       0.0 s"},
      {30, "⠋ download         0.0 s"},
      {10, "⠋ downloa"}};
  for (const auto &[width, line] : cases) {
    use(width);
    fake_.err.clear();
    renderer_->phase_started(Phase::download, {83, 167, 27'000'000, 54'000'000});
    EXPECT_THAT(screen(), ElementsAre(line)) << width;
  }
}

TEST_F(Terminal, DrawsNoBarWithoutATotal) {
  use(80);
  renderer_->phase_started(Phase::pack, {});
  fake_.now_ms += 500;
  renderer_->phase_advanced(Phase::pack, {2267, 0, 134'000'000, 0}, "");
  EXPECT_THAT(screen(), ElementsAre("⠙ pack                               2267 entries         134 MB       0.5 s"));
}

TEST_F(Terminal, NamesTheItemWhereThereIsRoom) {
  use(140);
  renderer_->phase_started(Phase::download, {83, 167, 27'000'000, 54'000'000});
  fake_.now_ms += 100;
  renderer_->phase_advanced(Phase::download, {83, 167, 27'000'000, 54'000'000}, "bash_5.2.15-2+b7_amd64");
  EXPECT_THAT(screen().at(0), ::testing::EndsWith("27 MB/54 MB       0.1 s  bash_5.2.15-2+b7_amd64"));
}

TEST_F(Terminal, NeverWrapsAtAnyWidth) {
  for (unsigned width = 1; width < 130; ++width) {
    fake_.err.clear();
    use(width);
    renderer_->phase_started(Phase::pack, {0, 12345, 0, 999'000'000});
    fake_.now_ms += 7'000'000;
    renderer_->phase_advanced(Phase::pack, {12344, 12345, 998'000'000, 999'000'000}, "a/very/long/path/of/a/file/ö/ü");
    renderer_->phase_finished(Phase::pack, {12344, 12345, 998'000'000, 999'000'000}, 7'000'000);
    EXPECT_THAT(screen(), ::testing::Each(Not(HasSubstr("<WRAP>")))) << width;
  }
}

TEST_F(Terminal, RedrawsTenTimesASecondAtMost) {
  use(80);
  renderer_->phase_started(Phase::download, {0, 1000, 0, 0});
  fake_.writes = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    fake_.now_ms += 1;
    renderer_->phase_advanced(Phase::download, {i, 1000, 0, 0}, "x");
    renderer_->tick();
  }
  EXPECT_EQ(fake_.writes, 10U);
}

TEST_F(Terminal, GoesOnWhileNothingHappens) {
  use(80);
  renderer_->phase_started(Phase::configure, {0, 3, 0, 0});
  fake_.now_ms += 30'000;
  renderer_->tick();
  EXPECT_THAT(screen().at(0), HasSubstr("30.0 s"));
}

TEST_F(Terminal, KeepsLinesAboveTheBlock) {
  use(80, Verbosity::verbose);
  renderer_->phase_started(Phase::configure, {0, 3, 0, 0});
  fake_.now_ms += 200;
  renderer_->script_output("postinst of x_1_all", "hello \x1b[2J");
  fake_.err += "^C";  // what a terminal echoes
  fake_.now_ms += 200;
  renderer_->warning("odd");
  renderer_->note("even");
  auto lines = screen();
  EXPECT_THAT(lines,
              ElementsAre("postinst of x_1_all: hello \\x1b[2J", "debroot: warning: odd", "debroot: note: even"));
  fake_.now_ms += 200;
  renderer_->tick();
  EXPECT_THAT(screen().back(), HasSubstr("configure"));
}

TEST_F(Terminal, IsRestoredWhenABuildFails) {
  use(80);
  renderer_->phase_started(Phase::configure, {0, 3, 0, 0});
  renderer_->failed(Error(ErrorKind::network, "no answer"));
  EXPECT_THAT(screen(), ElementsAre("debroot: error: no answer"));
  EXPECT_TRUE(is_cursor_shown_);
  std::string before = fake_.err;
  fake_.now_ms += 1000;
  renderer_->tick();
  EXPECT_EQ(fake_.err, before);
}

TEST_F(Terminal, DoesWithoutUnicodeAndColour) {
  use(80);
  fake_.console.uses_unicode = false;
  renderer_->phase_started(Phase::download, {4, 8, 0, 0});
  EXPECT_THAT(screen(), ElementsAre("| download    ########........       4/8 packages                      0.0 s"));
  renderer_->phase_finished(Phase::download, {8, 8, 0, 0}, 100);
  EXPECT_THAT(screen(), ElementsAre("* download    8 packages                           0.1 s"));
}

TEST_F(Terminal, ColoursWhenAllowed) {
  use(80);
  fake_.console.uses_colour = true;
  renderer_->warning("odd");
  EXPECT_EQ(fake_.err, "debroot: \x1b[1;33mwarning:\x1b[0m odd\n");
}

TEST(PlainRenderer, SaysWhenPhasesBeginAndEndAndThatItLives) {
  FakeConsole fake;
  auto renderer = make_renderer(ProgressStyle::automatic, Verbosity::normal, fake.console);
  renderer->phase_started(Phase::resolve, {});
  fake.now_ms += 100;
  renderer->phase_finished(Phase::resolve, {}, 100);
  renderer->phase_started(Phase::download, {0, 167, 0, 54'000'000});
  for (int i = 0; i < 125; ++i) {
    fake.now_ms += 100;
    renderer->phase_advanced(Phase::download, {112, 167, 34'000'000, 54'000'000}, "bash_5.2_amd64");
    renderer->script_output("postinst of x_1_all", "not shown");
  }
  renderer->note("n");
  renderer->warning("w");
  renderer->phase_finished(Phase::download, {167, 167, 54'000'000, 54'000'000}, 12'500);
  renderer->phase_started(Phase::customize, {});
  fake.now_ms += 10'000;
  renderer->tick();
  EXPECT_EQ(fake.err,
            "[   0.0 s] resolve\n"
            "[   0.1 s] resolve: done in 0.1 s\n"
            "[   0.1 s] download: 167 packages, 54 MB\n"
            "[  10.1 s] download: 112/167 packages, 34 MB/54 MB, bash_5.2_amd64\n"
            "debroot: note: n\n"
            "debroot: warning: w\n"
            "[  12.6 s] download: done in 12.5 s, 167 packages, 54 MB\n"
            "[  12.6 s] customize\n"
            "[  22.6 s] customize: still at work\n");
}

TEST(PlainRenderer, ShowsMoreWhenAsked) {
  FakeConsole fake;
  auto renderer = make_renderer(ProgressStyle::plain, Verbosity::debug, fake.console);
  renderer->phase_started(Phase::unpack, {});
  renderer->phase_advanced(Phase::unpack, {1, 2, 0, 0}, "a_1_all");
  renderer->phase_advanced(Phase::unpack, {1, 2, 0, 0}, "a_1_all");
  renderer->script_output("preinst of a_1_all", "hello");
  EXPECT_EQ(fake.err, "[   0.0 s] unpack\n[   0.0 s] unpack: a_1_all\npreinst of a_1_all: hello\n");
}

TEST(SilentRenderer, ShowsWarningsUnlessQuiet) {
  for (auto [style, verbosity, expected] :
       {std::tuple(ProgressStyle::none, Verbosity::normal, "debroot: note: n\ndebroot: warning: w\n"),
        std::tuple(ProgressStyle::none, Verbosity::quiet, ""), std::tuple(ProgressStyle::tty, Verbosity::quiet, ""),
        std::tuple(ProgressStyle::automatic, Verbosity::quiet, "")}) {
    FakeConsole fake;
    auto renderer = make_renderer(style, verbosity, fake.console);
    renderer->phase_started(Phase::unpack, {});
    renderer->phase_advanced(Phase::unpack, {}, "x");
    renderer->phase_finished(Phase::unpack, {}, 1);
    renderer->note("n");
    renderer->warning("w");
    EXPECT_EQ(fake.err, expected);
    fake.err.clear();
    renderer->succeeded(sample_plan(), sample_report());
    EXPECT_EQ(fake.err.empty(), verbosity == Verbosity::quiet);
  }
}

TEST(FailedBuild, IsToldOnTheTerminalBesideTheLog) {
  FakeConsole fake;
  std::string terminal;
  fake.console.terminal_err = [&](std::string_view text) { terminal += text; };
  make_renderer(ProgressStyle::automatic, Verbosity::quiet, fake.console)
      ->failed(Error(ErrorKind::output, "disk full"));
  EXPECT_EQ(fake.err, "debroot: error: disk full\n");
  EXPECT_EQ(terminal, fake.err);
}

TEST(JsonRenderer, WritesAnObjectALine) {
  FakeConsole fake;
  auto renderer = make_renderer(ProgressStyle::json, Verbosity::verbose, fake.console);
  renderer->phase_started(Phase::download, {0, 2, 0, 10});
  fake.now_ms += 50;
  renderer->phase_advanced(Phase::download, {1, 2, 5, 10}, "a_1_all");
  renderer->phase_finished(Phase::download, {2, 2, 10, 10}, 60);
  renderer->note("n");
  renderer->warning("w");
  renderer->script_output("postinst of a_1_all", "caf\xe9 \x1b");
  renderer->failed(Error(ErrorKind::script, "it failed").detail("got", "x"));
  renderer->succeeded(sample_plan(), sample_report());
  EXPECT_EQ(
      fake.err,
      R"({"event":"phase_started","time_ms":0,"phase":"download","items_total":2,"bytes_total":10})"
      "\n"
      R"({"event":"phase_advanced","time_ms":50,"phase":"download","items_done":1,"items_total":2,"bytes_done":5,"bytes_total":10,"current":"a_1_all"})"
      "\n"
      R"({"event":"phase_finished","time_ms":50,"phase":"download","items_done":2,"items_total":2,"bytes_done":10,"bytes_total":10,"milliseconds":60})"
      "\n"
      R"({"event":"note","time_ms":50,"text":"n"})"
      "\n"
      R"({"event":"warning","time_ms":50,"text":"w"})"
      "\n"
      "{\"event\":\"script_output\",\"time_ms\":50,\"origin\":\"postinst of a_1_all\",\"line\":\"caf\xef\xbf\xbd "
      "\\u001b\"}\n"
      R"({"event":"failed","time_ms":50,"kind":"script","message":"it failed","details":[{"label":"got","value":"x"}]})"
      "\n"
      R"({"event":"succeeded","time_ms":50,"packages":167,"download_bytes":54000000,"output_bytes":184000000,"milliseconds":9800,"source_date_epoch":1700000000,"phases":{"indexes":900,"pack":300},"outputs":["x.tar"],"random_paths":["/etc/ssh/ssh_host_rsa_key"],"base_state":false})"
      "\n");
}

TEST(JsonRenderer, LeavesOutLessThanTheOthersWhenQuiet) {
  FakeConsole fake;
  auto renderer = make_renderer(ProgressStyle::json, Verbosity::quiet, fake.console);
  renderer->note("n");
  renderer->warning("w");
  renderer->script_output("o", "l");
  EXPECT_EQ(fake.err, "");
  renderer->phase_started(Phase::pack, {});
  EXPECT_THAT(fake.err, HasSubstr("phase_started"));
}

}  // namespace
}  // namespace debroot::cli
