/// Where maintainer scripts run. The real one is the sandbox's Runner; tests bring their own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace debroot::configure {

/// One program to run inside the root, with nothing of the caller's environment.
struct ScriptCall {
  std::string origin;  ///< for messages and progress: "postinst of dbus_1.14.10-1_amd64"
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< "NAME=value"
};

/// How it ended.
struct ScriptResult {
  int exit_status = 0;
  int signal = 0;             ///< not 0 when a signal killed it
  std::string start_failure;  ///< not empty when it was not started: "could not be started: …"
  std::string output;         ///< standard output and error, interleaved as written

  [[nodiscard]] bool is_success() const noexcept { return exit_status == 0 && signal == 0 && start_failure.empty(); }
};

class ScriptHost {
 public:
  ScriptHost() = default;
  ScriptHost(const ScriptHost &) = delete;
  ScriptHost &operator=(const ScriptHost &) = delete;
  virtual ~ScriptHost() = default;

  /// Runs the program to its end. @throws Error only when the sandbox itself failed or the build was interrupted
  [[nodiscard]] virtual ScriptResult run(const ScriptCall &call) = 0;
};

}  // namespace debroot::configure
