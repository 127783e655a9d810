/// What a program in the tree sees besides the tree: /proc, /dev, /sys, the network.
///
/// Everything that needs the host is done in `prepare`, before the host's files are let go; `enter` only moves what is
/// ready into place. Both run in the runner process.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "sandbox/runner.hpp"

namespace debroot::sandbox {

/// A step that failed, told to the builder, which makes the sentence.
struct RunnerFailure {
  std::string step;  ///< follows "cannot": "mount a new /proc"
  int errno_value = 0;
};

/// Throws RunnerFailure with errno.
[[noreturn]] void fail_step(std::string step);

/// Where the tree lies in the tiny tmpfs.
inline constexpr const char *kTreePath = "/tree";

/// Leaves the host's files: afterwards '/' is a tiny tmpfs that holds prepared/{proc,dev,sys} and the empty `tree`.
/// @return notes for the builder. @throws RunnerFailure
[[nodiscard]] std::vector<std::string> prepare_view(const RunnerOptions &options);

/// Changes this process into the detached mount `tree` (chroot) with the prepared mounts in it. What lies outside is
/// the tiny tmpfs. @return notes. @throws RunnerFailure
[[nodiscard]] std::vector<std::string> enter_tree(base::Fd tree, const RunnerOptions &options);

/// Sets the loopback interface of this network namespace up. @throws RunnerFailure
void raise_loopback();

/// Overwrites the command line and the environment that /proc/1 shows, and forbids looking at this process.
void hide_process() noexcept;

}  // namespace debroot::sandbox
