#include "cli/text_renderer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/phase_text.hpp"
#include "cli/render_error.hpp"
#include "cli/summary.hpp"

namespace debroot::cli {
namespace {

constexpr std::uint64_t kHeartbeatMs = 10'000;

std::string coloured(std::string_view text, std::string_view code, bool uses_colour) {
  return uses_colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

}  // namespace

void TextRenderer::note(std::string_view text) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  print(fmt::format("debroot: {} {}\n", coloured("note:", "1", console_.uses_colour), printable(text)));
}

void TextRenderer::warning(std::string_view text) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  print(fmt::format("debroot: {} {}\n", coloured("warning:", "1;33", console_.uses_colour), printable(text)));
}

void TextRenderer::script_output(std::string_view origin, std::string_view line) noexcept {
  if (verbosity_ < Verbosity::verbose) return;
  print(fmt::format("{} {}\n", coloured(fmt::format("{}:", origin), "2", console_.uses_colour), printable(line)));
}

void TextRenderer::hook_output(std::string_view origin, std::string_view line) noexcept {
  if (verbosity_ == Verbosity::quiet) return;
  print(fmt::format("{} {}\n", coloured(fmt::format("{}:", origin), "2", console_.uses_colour), printable(line)));
}

void TextRenderer::failed(const Error &error) noexcept {
  close();
  console_.err(render_error(error, console_.uses_colour));
  if (console_.terminal_err) console_.terminal_err(render_error(error, false));
}

void TextRenderer::succeeded(const BuildPlan &plan, const BuildReport &report) noexcept {
  close();
  if (verbosity_ != Verbosity::quiet) console_.err(summary_text(plan, report, console_.is_err_terminal));
}

PhaseCount end_phase(std::vector<LivePhase> &live, Phase phase, const PhaseCount &count) {
  PhaseCount out = count;
  for (const LivePhase &one : live) {
    bool says_nothing = count.items_done == 0 && count.bytes_done == 0;
    if (one.phase == phase && says_nothing) out = one.count;
  }
  std::erase_if(live, [&](const LivePhase &one) { return one.phase == phase; });
  return out;
}

PlainRenderer::PlainRenderer(Verbosity verbosity, const Console &console)
    : TextRenderer(verbosity, console), start_ms_(console.now_ms()), last_line_ms_(start_ms_) {}

void PlainRenderer::line(std::string_view text) {
  last_line_ms_ = console_.now_ms();
  print(fmt::format("[{:6.1f} s] {}\n", static_cast<double>(last_line_ms_ - start_ms_) / 1000, printable(text)));
}

void PlainRenderer::phase_started(Phase phase, const PhaseCount &total) noexcept {
  live_.push_back({phase, total, {}, console_.now_ms()});
  std::string what = total_text(phase, total);
  line(what.empty() ? std::string(phase_name(phase)) : fmt::format("{}: {}", phase_name(phase), what));
}

void PlainRenderer::phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept {
  for (LivePhase &live : live_) {
    if (live.phase != phase) continue;
    live.count = count;
    bool is_new = live.current != current && !current.empty();
    live.current = current;
    if (is_new && verbosity_ == Verbosity::debug) line(fmt::format("{}: {}", phase_name(phase), current));
  }
  tick();
}

void PlainRenderer::phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept {
  std::string what = count_text(phase, end_phase(live_, phase, count));
  line(fmt::format("{}: done in {}{}{}", phase_name(phase), duration_text(milliseconds), what.empty() ? "" : ", ",
                   what));
}

void PlainRenderer::tick() noexcept {
  if (console_.now_ms() - last_line_ms_ < kHeartbeatMs) return;
  for (const LivePhase &live : live_) {
    std::string what = count_text(live.phase, live.count);
    if (!live.current.empty()) what += fmt::format("{}{}", what.empty() ? "" : ", ", live.current);
    line(fmt::format("{}: {}", phase_name(live.phase), what.empty() ? "still at work" : what));
  }
}

}  // namespace debroot::cli
