/// The inside of the runner process; see runner.hpp.
#pragma once

#include "base/channel.hpp"
#include "sandbox/runner.hpp"

namespace debroot::sandbox {

/// Runs as pid 1 in the freshly cloned child, in new pid and mount namespaces (and a network namespace unless that is
/// shared), and never returns: it ends when the channel does.
[[noreturn]] void run_runner(base::Channel channel, const RunnerOptions &options);

}  // namespace debroot::sandbox
