/// Runs the user's own programs on the tree (mmdebstrap(1), HOOKS).
///
/// A hook is not a maintainer script: it sees the host's files and network and gets the root's path as its first
/// argument. While it runs, the root has /proc, /sys and /dev, names resolve in it and apt finds the package lists; all
/// of it lives in a mount namespace of the hook's own, or is taken away afterwards.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "debroot/plan.hpp"

namespace debroot::customize {

struct HookSettings {
  std::string root_path;                 ///< of the root as the builder sees it: the hook's $1
  std::vector<std::string> environment;  ///< the caller's, plus what a build adds
  std::function<void(std::string_view line)> on_output;
};

/// How a hook's command is run.
std::vector<std::string> hook_arguments(const std::string &command, const std::string &root_path);

/// Runs one hook to its end. @throws Error of kind script with its output when it fails
void run_hook(const base::RootDirectory &root, const Hook &hook, const HookSettings &settings);

}  // namespace debroot::customize
