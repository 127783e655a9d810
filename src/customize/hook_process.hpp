/// A hook as a child process in a mount namespace of its own; private to customize/.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"

namespace debroot::customize {

class HookProcess {
 public:
  /// Starts `argv` with /proc, /sys and /dev of the host bound into the root at `root_path`. @throws Error of kind
  /// script when it cannot be started
  [[nodiscard]] static HookProcess start(const std::vector<std::string> &argv,
                                         const std::vector<std::string> &environment, const std::string &root_path);
  /// Read end of its standard output and error.
  [[nodiscard]] int output_fd() const noexcept { return output_.get(); }
  /// Waits for its end. @return the wait status
  int wait();

 private:
  HookProcess(pid_t pid, base::Fd output) : pid_(pid), output_(std::move(output)) {}
  pid_t pid_;
  base::Fd output_;
};

}  // namespace debroot::customize
