#include "cli/timings.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/thrown_error.hpp"

namespace debroot::cli {
namespace {

constexpr auto kOutside = SpanProcess::outside;
constexpr auto kBuilder = SpanProcess::builder;

/// A build of ten seconds: one of indexes, then the builder's, half a second of which is in no stage.
BuildReport report() {
  BuildReport report;
  report.milliseconds = 10'000;
  report.spans = {
      {SpanKind::network, kOutside, 0, "Release files", 1'000'000, 1'400'000},
      {SpanKind::work, kOutside, 1, "reading main", 1'500'000, 1'900'000},
      {SpanKind::wait, kOutside, 0, "indexes", 1'400'000, 2'000'000},
      {SpanKind::stage, kOutside, 0, "indexes", 1'000'000, 2'000'000},
      {SpanKind::unpacking, kBuilder, 1, "dash", 3'000'000, 4'000'000},
      {SpanKind::unpacking, kBuilder, 2, "sed", 3'500'000, 4'500'000},
      {SpanKind::wait, kBuilder, 0, "dash", 2'500'000, 5'000'000},
      {SpanKind::script, kBuilder, 0, "postinst of dash", 5'000'000, 7'000'000},
      {SpanKind::hook, kBuilder, 0, "customize hook 'true'", 8'000'000, 8'250'000},
      {SpanKind::stage, kBuilder, 0, "install", 2'500'000, 11'000'000},
  };
  return report;
}

TEST(TimingsTest, SplitsEachStage) {
  std::vector<TimingRow> rows = timing_rows(report());
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].name, "indexes");
  EXPECT_EQ(rows[0].wall, 1'000'000U);
  EXPECT_EQ(rows[0].network, 600'000U) << "while nobody reads, the wait is for the network";
  EXPECT_EQ(rows[0].own, 400'000U);
  EXPECT_EQ(rows[1].name, "install");
  EXPECT_EQ(rows[1].unpacking, 1'500'000U) << "two at a time count once";
  EXPECT_EQ(rows[1].network, 1'000'000U);
  EXPECT_EQ(rows[1].scripts, 2'000'000U);
  EXPECT_EQ(rows[1].hooks, 250'000U);
  EXPECT_EQ(rows[1].own, 3'750'000U);
}

TEST(TimingsTest, EveryMomentIsSomewhere) {
  std::vector<TimingRow> rows = timing_rows(report());
  EXPECT_EQ(rows[2].name, "the rest");
  EXPECT_EQ(rows[2].wall, 500'000U);
  EXPECT_EQ(rows[3].name, "all");
  EXPECT_EQ(rows[3].wall, 10'000'000U);
  for (const TimingRow &row : rows) {
    EXPECT_EQ(row.wall, row.scripts + row.hooks + row.unpacking + row.network + row.own) << row.name;
  }
}

TEST(TimingsTest, TableHasALineForEach) {
  EXPECT_EQ(timings_table(report()),
            "where the time went, in seconds (work that others waited for, not work done beside it):\n"
            "                      wall  scripts   hooks  unpacking  network    own\n"
            "  indexes             1.00     0.00    0.00       0.00     0.60   0.40\n"
            "  install             8.50     2.00    0.25       1.50     1.00   3.75\n"
            "  the rest            0.50     0.00    0.00       0.00     0.00   0.50\n"
            "  all                10.00     2.00    0.25       1.50     1.60   4.65\n");
}

TEST(TimingsTest, TraceBeginsAtNought) {
  auto trace = nlohmann::json::parse(chrome_trace(report()));
  const auto &events = trace["traceEvents"];
  ASSERT_EQ(events.size(), 2U + report().spans.size());
  EXPECT_EQ(events[0]["ph"], "M");
  EXPECT_EQ(events[2]["name"], "Release files");
  EXPECT_EQ(events[2]["ts"], 0);
  EXPECT_EQ(events[2]["dur"], 400'000);
  EXPECT_EQ(events[9]["cat"], "script");
  EXPECT_EQ(events[9]["pid"], static_cast<int>(kBuilder));
}

TEST(TimingsTest, SaysNothingUnlessAsked) {
  Console console;
  console.err = [](std::string_view text) { ADD_FAILURE() << text; };
  Timings("").show(report(), console);
}

TEST(TimingsTest, PlaceThatCannotBeWrittenFailsBeforeTheWork) {
  EXPECT_EQ(test::thrown_by([] { Timings("/nowhere/at/all.json"); }),
            "cannot open '/nowhere/at/all.json': no such file or directory");
}

}  // namespace
}  // namespace debroot::cli
