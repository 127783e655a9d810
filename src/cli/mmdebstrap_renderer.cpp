#include "cli/mmdebstrap_renderer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/phase_text.hpp"
#include "cli/render_error.hpp"

namespace debroot::cli {
namespace {

/// The line that mmdebstrap writes when it begins what belongs to this phase; empty: it has none.
std::string_view begin_text(Phase phase, bool has_packages, bool is_simulation) noexcept {
  switch (phase) {
    case Phase::indexes:
      return "running apt-get update...";
    case Phase::resolve:
      return is_simulation ? "simulate downloading packages with apt..." : "";
    case Phase::download:
      return has_packages ? "downloading packages with apt..." : "nothing to download -- skipping...";
    case Phase::unpack:
      return has_packages ? "extracting archives..." : "nothing to extract -- skipping...";
    case Phase::configure:
      return has_packages ? "installing essential packages..." : "no essential packages -- skipping...";
    case Phase::customize:
    case Phase::pack:
    case Phase::restore:
      break;
  }
  return "";
}

}  // namespace

void MmdebstrapRenderer::begins(const BuildPlan &plan) noexcept {
  is_simulation_ = plan.is_simulation;
  cleans_up_ = !is_skipped(plan.skips, "cleanup");
  makes_tar_ = std::any_of(plan.outputs.begin(), plan.outputs.end(), [](const Output &output) {
    return output.format != Format::directory && output.format != Format::null;
  });
}

void MmdebstrapRenderer::phase_started(Phase phase, const PhaseCount &total) noexcept {
  if (phase == Phase::pack) {
    line(Verbosity::normal, "I",
         cleans_up_ ? "cleaning package lists and apt cache..." : "skipping cleanup as requested");
    if (makes_tar_) line(Verbosity::normal, "I", "creating tarball...");
    return;
  }
  std::string_view text = begin_text(phase, total.items_total > 0, is_simulation_);
  if (!text.empty()) line(Verbosity::normal, "I", text);
}

void MmdebstrapRenderer::phase_finished(Phase phase, const PhaseCount &, std::uint64_t) noexcept {
  if (phase == Phase::pack && makes_tar_) line(Verbosity::normal, "I", "done");
}

void MmdebstrapRenderer::phase_advanced(Phase phase, const PhaseCount &, std::string_view current) noexcept {
  if (!current.empty()) line(Verbosity::debug, "D", fmt::format("{}: {}", phase_name(phase), current));
}

void MmdebstrapRenderer::note(std::string_view text) noexcept { line(Verbosity::normal, "I", text); }

void MmdebstrapRenderer::warning(std::string_view text) noexcept { line(Verbosity::normal, "W", text); }

void MmdebstrapRenderer::script_output(std::string_view, std::string_view text) noexcept {
  if (verbosity_ >= Verbosity::verbose) console_.err(fmt::format("{}\n", printable(text)));
}

void MmdebstrapRenderer::hook_output(std::string_view, std::string_view text) noexcept {
  console_.err(fmt::format("{}\n", printable(text)));
}

void MmdebstrapRenderer::step(std::string_view text) noexcept { line(Verbosity::normal, "I", text); }

void MmdebstrapRenderer::failed(const Error &error) noexcept { console_.err(render_error_as_mmdebstrap(error)); }

void MmdebstrapRenderer::succeeded(const BuildPlan &, const BuildReport &report) noexcept {
  line(Verbosity::normal, "I",
       fmt::format("success in {:.4f} seconds", static_cast<double>(report.milliseconds) / 1000));
}

void MmdebstrapRenderer::line(Verbosity least, std::string_view prefix, std::string_view text) {
  if (verbosity_ < least) return;
  console_.err(fmt::format("{}: {}\n", prefix, printable(text)));
}

}  // namespace debroot::cli
