/// What builder and runner say to each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/wire.hpp"
#include "sandbox/runner.hpp"

namespace debroot::sandbox {

enum class RunnerAction : std::uint8_t { enter, bind, unbind, run, kill };

/// Builder → runner. Descriptors that travel along: enter: the tree as a detached mount; bind: one detached mount for
/// each target; unbind: none; run: the output pipe, then stdin if there is one; kill: none (and no answer).
struct RunnerMessage {
  RunnerAction action = RunnerAction::run;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string directory;
  bool sees_binds = true;
  bool skips_sleep = false;
  std::vector<std::string> targets;
};

template <class Wire>
void fields(Wire &wire, RunnerMessage &message) {
  wire(message.action, message.argv, message.environment, message.directory, message.sees_binds, message.skips_sleep,
       message.targets);
}

/// Runner → builder, one for each message but kill, and one when the runner is ready.
struct RunnerReply {
  RunResult result;              ///< of run
  std::string failed;            ///< of start, enter and bind: what could not be done ("mount a new /proc"), or empty
  std::int32_t errno_value = 0;  ///< why
  std::vector<std::string> notes;
};

template <class Wire>
void fields(Wire &wire, RunResult &result) {
  wire(result.exit_status, result.signal, result.failed_step, result.errno_value, result.is_interpreter_missing);
}

template <class Wire>
void fields(Wire &wire, RunnerReply &reply) {
  wire(reply.result, reply.failed, reply.errno_value, reply.notes);
}

}  // namespace debroot::sandbox
