#include "build/sandboxed_scripts.hpp"

#include "base/line_listener.hpp"

namespace debroot::build {

configure::ScriptResult SandboxedScripts::run(const configure::ScriptCall &call) {
  configure::ScriptResult out;
  base::LineListener listener([&](std::string_view line) { events_.script_output(call.origin, line); });
  sandbox::RunRequest request;
  request.argv = call.argv;
  request.environment = call.environment;
  if (twins_ != nullptr) twins_->before(call, request);
  if (stand_ins_ != nullptr) stand_ins_->before(call, request);
  sandbox::RunResult result = [&] {
    base::Trace::Timer timer = trace_.time(SpanKind::script, call.origin);
    return runner_.run(request, [&](std::string_view chunk) { listener.take(chunk); });
  }();
  if (stand_ins_ != nullptr) stand_ins_->after();
  if (twins_ != nullptr) twins_->after();
  out.output = listener.finish();
  out.exit_status = result.exit_status;
  out.signal = result.signal;
  if (result.failed_step != sandbox::LaunchStep::none) out.start_failure = sandbox::describe(result);
  return out;
}

}  // namespace debroot::build
