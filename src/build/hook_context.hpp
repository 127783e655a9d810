/// What hooks are told of the build: variables of the environment and a configuration of apt, both as mmdebstrap has
/// them (mmdebstrap(1), HOOKS and ENVIRONMENT VARIABLES), since hooks are written for that.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "debroot/plan.hpp"

namespace debroot::build {

/// What is known only where a hook is run.
struct HookFacts {
  HookStage stage = HookStage::setup;
  std::string_view mode;                ///< "root" or "unshare"
  std::string program;                  ///< takes mmdebstrap's options, --hook-helper among them
  std::string root_path;                ///< the hook's $1
  std::vector<std::string> first_debs;  ///< paths inside the root of what is installed first, in that order
};

/// MMDEBSTRAP_* and `container`, as "NAME=value".
[[nodiscard]] std::vector<std::string> mmdebstrap_variables(const BuildPlan &plan, const HookFacts &facts);

/// The file in the root that MMDEBSTRAP_APT_CONFIG names: with it as APT_CONFIG the host's apt works on the root, with
/// the keys that this build trusts. Written again, it is as it was.
void write_hook_apt_config(const base::RootDirectory &root, const std::string &root_path, const BuildPlan &plan);

/// Takes it away, unless a value of `skips` keeps it.
void remove_hook_apt_config(const base::RootDirectory &root, const std::vector<std::string> &skips);

/// The path of this program's file. @throws Error
[[nodiscard]] std::string own_program();

}  // namespace debroot::build
