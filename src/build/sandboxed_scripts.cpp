#include "build/sandboxed_scripts.hpp"

namespace debroot::build {

configure::ScriptResult SandboxedScripts::run(const configure::ScriptCall &call) {
  configure::ScriptResult out;
  std::size_t told = 0;
  auto tell_lines = [&](std::string_view chunk) {
    out.output += chunk;
    for (std::size_t end = out.output.find('\n', told); end != std::string::npos; end = out.output.find('\n', told)) {
      events_.script_output(call.origin, std::string_view(out.output).substr(told, end - told));
      told = end + 1;
    }
  };
  sandbox::RunRequest request;
  request.argv = call.argv;
  request.environment = call.environment;
  sandbox::RunResult result = runner_.run(request, tell_lines);
  if (told < out.output.size()) events_.script_output(call.origin, std::string_view(out.output).substr(told));
  out.exit_status = result.exit_status;
  out.signal = result.signal;
  if (result.failed_step != sandbox::LaunchStep::none) out.start_failure = sandbox::describe(result);
  return out;
}

}  // namespace debroot::build
