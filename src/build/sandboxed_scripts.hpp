/// Maintainer scripts in the sandbox's runner, their output told line by line and kept whole.
#pragma once

#include "build/event_sender.hpp"
#include "build/native_twins.hpp"
#include "configure/script_host.hpp"
#include "sandbox/runner.hpp"

namespace debroot::build {

class SandboxedScripts : public configure::ScriptHost {
 public:
  /// All must outlive it; `twins` is null when every program is the image's own.
  SandboxedScripts(sandbox::Runner &runner, EventSender &events, NativeTwins *twins)
      : runner_(runner), events_(events), twins_(twins) {}

  [[nodiscard]] configure::ScriptResult run(const configure::ScriptCall &call) override;

 private:
  sandbox::Runner &runner_;
  EventSender &events_;
  NativeTwins *twins_;
};

}  // namespace debroot::build
