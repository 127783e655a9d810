/// Progress as JSON, one object a line, as documented in NOTES.md: a promise to programs, so fields are only ever
/// added.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "cli/renderer.hpp"

namespace debroot::cli {

class JsonRenderer : public Renderer {
 public:
  JsonRenderer(Verbosity verbosity, const Console &console);
  void phase_started(Phase phase, const PhaseCount &total) noexcept override;
  void phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept override;
  void phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept override;
  void note(std::string_view text) noexcept override;
  void warning(std::string_view text) noexcept override;
  void script_output(std::string_view origin, std::string_view line) noexcept override;
  void hook_output(std::string_view origin, std::string_view line) noexcept override;
  void close() noexcept override {}
  void failed(const Error &error) noexcept override;
  void succeeded(const BuildPlan &plan, const BuildReport &report) noexcept override;

 private:
  [[nodiscard]] nlohmann::ordered_json event(std::string_view name) const;
  void emit(const nlohmann::ordered_json &object);

  const Console &console_;
  const Verbosity verbosity_;
  std::uint64_t start_ms_;
};

}  // namespace debroot::cli
