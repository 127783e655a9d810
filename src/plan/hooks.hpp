/// Hook options to hooks, in command-line order.
#pragma once

#include <string>
#include <vector>

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"
#include "plan/options.hpp"

namespace debroot::plan {

/// Every hook; a --hook-directory becomes, where it stands, the executable files in it whose names begin with a stage,
/// sorted by name. Files that look like a mistake (a stage's name but not executable, executable but no stage, nothing
/// fitting at all) are told in `warnings`. @throws Error of kind usage for an empty command or a directory that cannot
/// be read
[[nodiscard]] std::vector<Hook> make_hooks(const std::vector<HookOption> &options, const HostFacts &host,
                                           std::vector<std::string> &warnings);

}  // namespace debroot::plan
