/// Starting one program in the tree, from within the runner.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "sandbox/runner.hpp"

namespace debroot::sandbox {

/// What `launch` starts.
struct LaunchRequest {
  const std::vector<std::string> &argv;
  const std::vector<std::string> &environment;
  const std::string &directory;
  int stdin_fd = -1;
  int output_fd = -1;
  int mount_namespace = -1;  ///< to enter first, and the tree in it (kTreePath); -1: stay
  bool skips_sleep = false;  ///< RunRequest::skips_sleep
};

/// A started program, or why there is none.
struct Launched {
  pid_t pid = -1;  ///< leader of a new session and process group; -1 when it could not be started
  RunResult failure;
};

/// Starts programs as vfork does: the child borrows this process's memory until it executes, so nothing is copied.
class Launcher {
 public:
  Launcher();
  /// Starts a program with default signal dispositions, none blocked, in a new session. A script without "#!" is given
  /// to /bin/sh, as dpkg's execvp does.
  [[nodiscard]] Launched launch(const LaunchRequest &request);

 private:
  [[nodiscard]] Launched start(const LaunchRequest &request, const std::string &program,
                               const std::vector<std::string> &argv);

  std::vector<char> stack_;
};

/// The path to execute for `name`: itself when it has a slash, else the first executable file of that name in the PATH
/// of `environment`, else `name` (which then fails with ENOENT).
[[nodiscard]] std::string resolve_program(const std::string &name, const std::vector<std::string> &environment);

}  // namespace debroot::sandbox
