/// A command of the caller's in the namespaces that a build has, without a build: what mmdebstrap's --unshare-helper
/// does.
#pragma once

#include <string>
#include <vector>

namespace debroot::sandbox {

/// Runs `argv`, looked up in PATH, as (mapped) root in new namespaces of users (not as root), mounts, processes, host
/// name and IPC, with the caller's environment, directory and standard streams; process 1 there waits for what it
/// leaves behind. The caller must have one thread. SIGINT and SIGQUIT are the command's alone from then on, and the end
/// of this process is that of the command.
/// @return its exit status, 127 when it cannot be started (which is said on standard error), or 128 plus the signal
/// that ended it. @throws Error of kind sandbox where namespaces are not allowed
[[nodiscard]] int run_unshared(const std::vector<std::string> &argv);

}  // namespace debroot::sandbox
