/// Hook options to hooks, in command-line order.
#pragma once

#include <string>
#include <vector>

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"
#include "plan/options.hpp"

namespace debroot::plan {

/// What hook options come to.
struct HookPlan {
  std::vector<Hook> hooks;
  std::vector<std::string> packages;  ///< BuildPlan::hook_packages
};

/// Every hook; a --hook-directory becomes, where it stands, the executable files in it whose names begin with a stage,
/// sorted by name. Files that look like a mistake (a stage's name but not executable, executable but no stage, nothing
/// fitting at all) are told in `warnings`. A directory of mmdebstrap's that this host does not have is the built-in one
/// of that name. @throws Error of kind usage for an empty command or a directory that cannot be read
[[nodiscard]] HookPlan make_hooks(const std::vector<HookOption> &options, const HostFacts &host,
                                  std::vector<std::string> &warnings);

}  // namespace debroot::plan
