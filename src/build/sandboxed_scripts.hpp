/// Maintainer scripts in the sandbox's runner, their output told line by line and kept whole.
#pragma once

#include "build/event_sender.hpp"
#include "configure/script_host.hpp"
#include "sandbox/runner.hpp"

namespace debroot::build {

class SandboxedScripts : public configure::ScriptHost {
 public:
  /// Both must outlive it.
  SandboxedScripts(sandbox::Runner &runner, EventSender &events) : runner_(runner), events_(events) {}

  [[nodiscard]] configure::ScriptResult run(const configure::ScriptCall &call) override;

 private:
  sandbox::Runner &runner_;
  EventSender &events_;
};

}  // namespace debroot::build
