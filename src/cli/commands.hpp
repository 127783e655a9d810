/// One function a command, each in a file of its own. They throw; run() catches.
#pragma once

#include <stop_token>

#include "cli/command_line.hpp"
#include "cli/renderer.hpp"
#include "cli/run.hpp"

namespace debroot::cli {

/// What a command works with.
struct CommandContext {
  const CommandLine &line;
  const plan::HostFacts &host;
  const Console &console;
  const Backend &backend;
  Renderer &renderer;
  std::stop_token stop;
};

// each returns the exit status and throws Error

/// `build`, and `mmdebstrap`, whose plan is made by other rules.
[[nodiscard]] int run_build(const CommandContext &context);
[[nodiscard]] int run_plan(const CommandContext &context);
[[nodiscard]] int run_diff(const CommandContext &context);
[[nodiscard]] int run_doctor(const CommandContext &context);
[[nodiscard]] int run_cache(const CommandContext &context);

}  // namespace debroot::cli
