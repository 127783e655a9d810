/// A hook as a child process; private to customize/.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"

namespace debroot::customize {

/// The descriptor under which a hook finds its connection to the outside. One digit, since dash takes no more in
/// `<&"$MMDEBSTRAP_HOOKSOCK"`; mmdebstrap's own happens to be this one.
inline constexpr int kHookSocket = 7;

struct HookProcessOptions {
  std::string root;  ///< becomes the root directory before the program starts; empty: the host's stays
  int socket = -1;   ///< becomes kHookSocket; -1: there is none
  bool writes_to_stderr =
      false;  ///< this process's standard error takes all its output, of which there is none to read
};

class HookProcess {
 public:
  /// Starts `argv` with all of `environment`, in whose PATH argv[0] is looked up. @throws Error of kind script when it
  /// cannot be started
  [[nodiscard]] static HookProcess start(const std::vector<std::string> &argv,
                                         const std::vector<std::string> &environment,
                                         const HookProcessOptions &options);
  /// Read end of its standard output and error; nothing where those are not kept.
  [[nodiscard]] base::Fd &output() noexcept { return output_; }
  /// Becomes readable when it has ended; for poll(2).
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  /// Waits for its end. @return the wait status
  int wait();

 private:
  HookProcess(pid_t pid, base::Fd pidfd, base::Fd output)
      : pid_(pid), pidfd_(std::move(pidfd)), output_(std::move(output)) {}
  pid_t pid_;
  base::Fd pidfd_;
  base::Fd output_;
};

}  // namespace debroot::customize
