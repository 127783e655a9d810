#include "cli/timings.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace debroot::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Times at which something goes on: in order, no two touching.
class Times {
 public:
  explicit Times(std::vector<Interval> intervals) {
    std::sort(intervals.begin(), intervals.end(),
              [](const Interval &a, const Interval &b) { return a.begin < b.begin; });
    for (const Interval &interval : intervals) {
      if (!merged_.empty() && interval.begin <= merged_.back().end) {
        merged_.back().end = std::max(merged_.back().end, interval.end);
      } else {
        merged_.push_back(interval);
      }
    }
  }

  /// How much of `interval` they cover.
  [[nodiscard]] std::uint64_t within(const Interval &interval) const {
    std::uint64_t sum = 0;
    for (const Interval &own : merged_) {
      std::uint64_t begin = std::max(own.begin, interval.begin);
      std::uint64_t end = std::min(own.end, interval.end);
      if (begin < end) sum += end - begin;
    }
    return sum;
  }

 private:
  std::vector<Interval> merged_;
};

Interval interval_of(const Span &span) { return {span.begin, span.end}; }

Times times_of(const std::vector<Span> &spans, std::initializer_list<SpanKind> kinds) {
  std::vector<Interval> intervals;
  for (const Span &span : spans) {
    if (std::find(kinds.begin(), kinds.end(), span.kind) != kinds.end()) intervals.push_back(interval_of(span));
  }
  return Times(std::move(intervals));
}

bool lies_in(const Span &inner, const Span &stage) {
  return inner.thread == 0 && inner.process == stage.process && inner.begin >= stage.begin && inner.end <= stage.end;
}

/// Splits the waiting of a main thread by what others did meanwhile.
void add_wait(const Span &wait, const Times &unpacking, const Times &busy, TimingRow &row) {
  Interval interval = interval_of(wait);
  std::uint64_t unpacked = unpacking.within(interval);
  std::uint64_t worked = busy.within(interval) - unpacked;
  row.unpacking += unpacked;
  row.network += interval.end - interval.begin - unpacked - worked;
}

TimingRow row_of(const Span &stage, const std::vector<Span> &spans, const Times &unpacking, const Times &busy) {
  TimingRow row;
  row.name = stage.name;
  row.wall = stage.end - stage.begin;
  for (const Span &span : spans) {
    if (!lies_in(span, stage)) continue;
    std::uint64_t length = span.end - span.begin;
    if (span.kind == SpanKind::script) row.scripts += length;
    if (span.kind == SpanKind::hook) row.hooks += length;
    if (span.kind == SpanKind::unpacking) row.unpacking += length;
    if (span.kind == SpanKind::network) row.network += length;
    if (span.kind == SpanKind::wait) add_wait(span, unpacking, busy, row);
  }
  row.own = row.wall - std::min(row.wall, row.scripts + row.hooks + row.unpacking + row.network);
  return row;
}

std::string seconds(std::uint64_t microseconds) {
  return fmt::format("{:.2f}", static_cast<double>(microseconds) / 1'000'000);
}

std::string_view category(SpanKind kind) noexcept {
  switch (kind) {
    case SpanKind::stage:
      return "stage";
    case SpanKind::wait:
      return "wait";
    case SpanKind::script:
      return "script";
    case SpanKind::hook:
      return "hook";
    case SpanKind::unpacking:
      return "unpacking";
    case SpanKind::network:
      return "network";
    case SpanKind::work:
      return "work";
  }
  return "work";
}

Json process_name(SpanProcess process) {
  const char *name = process == SpanProcess::outside ? "debroot" : "builder";
  return {{"name", "process_name"}, {"ph", "M"}, {"pid", static_cast<int>(process)}, {"args", {{"name", name}}}};
}

}  // namespace

std::vector<TimingRow> timing_rows(const BuildReport &report) {
  Times unpacking = times_of(report.spans, {SpanKind::unpacking});
  Times busy = times_of(report.spans, {SpanKind::unpacking, SpanKind::work});
  std::vector<const Span *> stages;
  for (const Span &span : report.spans) {
    if (span.kind == SpanKind::stage) stages.push_back(&span);
  }
  std::sort(stages.begin(), stages.end(), [](const Span *a, const Span *b) { return a->begin < b->begin; });

  std::vector<TimingRow> rows;
  TimingRow whole;
  whole.name = "all";
  for (const Span *stage : stages) {
    TimingRow row = row_of(*stage, report.spans, unpacking, busy);
    whole.wall += row.wall;
    whole.scripts += row.scripts;
    whole.hooks += row.hooks;
    whole.unpacking += row.unpacking;
    whole.network += row.network;
    whole.own += row.own;
    rows.push_back(std::move(row));
  }
  TimingRow rest;
  rest.name = "the rest";
  rest.wall = report.milliseconds * 1000 - std::min(report.milliseconds * 1000, whole.wall);
  rest.own = rest.wall;
  whole.wall += rest.wall;
  whole.own += rest.own;
  rows.push_back(std::move(rest));
  rows.push_back(std::move(whole));
  return rows;
}

std::string timings_table(const BuildReport &report) {
  constexpr std::string_view kLayout = "  {:<16}{:>8}{:>9}{:>8}{:>11}{:>9}{:>7}\n";
  std::string out = "where the time went, in seconds (work that others waited for, not work done beside it):\n";
  out += fmt::format(fmt::runtime(kLayout), "", "wall", "scripts", "hooks", "unpacking", "network", "own");
  for (const TimingRow &row : timing_rows(report)) {
    out += fmt::format(fmt::runtime(kLayout), row.name, seconds(row.wall), seconds(row.scripts), seconds(row.hooks),
                       seconds(row.unpacking), seconds(row.network), seconds(row.own));
  }
  return out;
}

std::string chrome_trace(const BuildReport &report) {
  std::uint64_t first = ~std::uint64_t{0};
  for (const Span &span : report.spans) first = std::min(first, span.begin);
  Json events = Json::array({process_name(SpanProcess::outside), process_name(SpanProcess::builder)});
  for (const Span &span : report.spans) {
    events.push_back({{"name", span.name},
                      {"cat", category(span.kind)},
                      {"ph", "X"},
                      {"pid", static_cast<int>(span.process)},
                      {"tid", span.thread},
                      {"ts", span.begin - first},
                      {"dur", span.end - span.begin}});
  }
  Json trace{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Timings::Timings(std::string path) : path_(std::move(path)) {
  if (!path_.empty()) file_ = base::open_file(path_, O_WRONLY | O_CREAT | O_TRUNC);
}

void Timings::show(const BuildReport &report, const Console &console) const {
  if (path_.empty()) return;
  console.err(timings_table(report));
  base::write_all(file_.get(), chrome_trace(report), path_);
}

}  // namespace debroot::cli
