/// The inside of the keeper process; see builder_process.hpp.
#pragma once

#include <functional>

#include "base/channel.hpp"
#include "base/fd.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/namespace_failure.hpp"

namespace debroot::sandbox {

/// What a child writes to the status pipe after each stage that the parent waits for.
struct StepReport {
  NamespaceStep step = NamespaceStep::ready;
  std::int32_t errno_value = 0;
};

/// The keeper's ends of the pipes.
struct KeeperPipes {
  base::Fd status;  ///< write end: StepReports
  base::Fd
      lifeline;  ///< read end: a byte when the id maps are written; hangs up when the caller is gone or wants an end
};

/// Runs in the freshly forked child and never returns. Reports `user_namespace` when that exists (only with an id map)
/// and `ready` at last, or the step that failed with its errno.
[[noreturn]] void run_keeper(const NamespaceRequest &request, KeeperPipes pipes, base::Channel channel,
                             const std::function<int(base::Channel)> &body);

/// Default dispositions for all signals and none of them blocked, whatever was inherited.
void reset_signals() noexcept;

}  // namespace debroot::sandbox
