/// Maintainer scripts in the sandbox's runner, their output told line by line and kept whole.
#pragma once

#include "base/trace.hpp"
#include "build/event_sender.hpp"
#include "build/native_twins.hpp"
#include "build/stand_in_covers.hpp"
#include "configure/script_host.hpp"
#include "sandbox/runner.hpp"

namespace debroot::build {

class SandboxedScripts : public configure::ScriptHost {
 public:
  /// All must outlive it; `twins` and `stand_ins` are null when every program is the image's own.
  SandboxedScripts(sandbox::Runner &runner, EventSender &events, base::Trace &trace, NativeTwins *twins,
                   StandInCovers *stand_ins)
      : runner_(runner), events_(events), trace_(trace), twins_(twins), stand_ins_(stand_ins) {}

  [[nodiscard]] configure::ScriptResult run(const configure::ScriptCall &call) override;

 private:
  sandbox::Runner &runner_;
  EventSender &events_;
  base::Trace &trace_;
  NativeTwins *twins_;
  StandInCovers *stand_ins_;
};

}  // namespace debroot::build
