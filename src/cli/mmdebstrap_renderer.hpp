/// Progress in mmdebstrap's words, for scripts that read its log: lines that begin with "I: ", "W: ", "E: " or "D: ",
/// the last of which is "I: success in N.NNNN seconds".
#pragma once

#include <string>
#include <string_view>

#include "cli/renderer.hpp"

namespace debroot::cli {

class MmdebstrapRenderer : public Renderer {
 public:
  MmdebstrapRenderer(Verbosity verbosity, const Console &console) : console_(console), verbosity_(verbosity) {}

  void begins(const BuildPlan &plan) noexcept override;
  void phase_started(Phase phase, const PhaseCount &total) noexcept override;
  /// At -d a line for each package.
  void phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept override;
  void phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept override;
  void note(std::string_view text) noexcept override;
  void warning(std::string_view text) noexcept override;
  /// As it was written, from -v on.
  void script_output(std::string_view origin, std::string_view line) noexcept override;
  /// At every verbosity: it is what the caller wanted of them.
  void hook_output(std::string_view origin, std::string_view line) noexcept override;
  void step(std::string_view text) noexcept override;
  void close() noexcept override {}
  /// To standard error, or with --logfile there alone, as mmdebstrap does.
  void failed(const Error &error) noexcept override;
  void succeeded(const BuildPlan &plan, const BuildReport &report) noexcept override;

 private:
  void line(Verbosity least, std::string_view prefix, std::string_view text);

  const Console &console_;
  const Verbosity verbosity_;
  bool makes_tar_ = false;
  bool is_simulation_ = false;
  bool cleans_up_ = true;
};

}  // namespace debroot::cli
