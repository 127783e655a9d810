/// What the styles for people share (notes, warnings, script output, the end), and the two styles without a live block.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/renderer.hpp"

namespace debroot::cli {

/// Lines that stay, subject to verbosity; how they reach the screen is the subclass's affair.
class TextRenderer : public Renderer {
 public:
  TextRenderer(Verbosity verbosity, const Console &console) : console_(console), verbosity_(verbosity) {}

  void note(std::string_view text) noexcept override;
  void warning(std::string_view text) noexcept override;
  void script_output(std::string_view origin, std::string_view line) noexcept override;
  void hook_output(std::string_view origin, std::string_view line) noexcept override;
  void failed(const Error &error) noexcept override;
  void succeeded(const BuildPlan &plan, const BuildReport &report) noexcept override;

 protected:
  /// Shows whole lines that stay.
  virtual void print(std::string_view text) noexcept = 0;

  const Console &console_;
  const Verbosity verbosity_;
};

/// No progress: notes, warnings and the end only.
class SilentRenderer : public TextRenderer {
 public:
  using TextRenderer::TextRenderer;
  void phase_started(Phase, const PhaseCount &) noexcept override {}
  void phase_advanced(Phase, const PhaseCount &, std::string_view) noexcept override {}
  void phase_finished(Phase, const PhaseCount &, std::uint64_t) noexcept override {}
  void close() noexcept override {}

 protected:
  void print(std::string_view text) noexcept override { console_.err(text); }
};

/// A phase that has begun and not ended.
struct LivePhase {
  Phase phase = Phase::indexes;
  PhaseCount count;
  std::string current;
  std::uint64_t started_ms = 0;
};

/// Takes `phase` off `live`; what it had counted when `count` says nothing, else `count`.
[[nodiscard]] PhaseCount end_phase(std::vector<LivePhase> &live, Phase phase, const PhaseCount &count);

/// A line when a phase begins and ends, each with the time since the start, and a line every ten seconds for each phase
/// that is still at work.
class PlainRenderer : public TextRenderer {
 public:
  PlainRenderer(Verbosity verbosity, const Console &console);
  void phase_started(Phase phase, const PhaseCount &total) noexcept override;
  void phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept override;
  void phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept override;
  void tick() noexcept override;
  void close() noexcept override {}

 protected:
  void print(std::string_view text) noexcept override { console_.err(text); }

 private:
  void line(std::string_view text);

  std::vector<LivePhase> live_;
  std::uint64_t start_ms_;
  std::uint64_t last_line_ms_;
};

}  // namespace debroot::cli
