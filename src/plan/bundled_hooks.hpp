/// Counterparts of the hook directories that mmdebstrap installs: command lines name them by their place under
/// /usr/share/mmdebstrap/hooks, which a host without mmdebstrap does not have.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "debroot/plan.hpp"

namespace debroot::plan {

/// One script of a hook directory.
struct BundledHook {
  HookStage stage;
  std::string_view script;        ///< for the shell; $1 is the root
  std::string_view preface = {};  ///< lines of the script that come first
};

struct BundledHookDirectory {
  std::string_view name;
  std::span<const BundledHook> hooks;  ///< none: debroot has no need of it, which is no mistake of the user's
  /// Packages that belong to the first ones installed, where the suite has them.
  std::span<const std::string_view> first_packages;
};

/// The one that stands for `directory`, an absolute path without "..", if it is a place of mmdebstrap's.
[[nodiscard]] const BundledHookDirectory *find_bundled_hooks(std::string_view directory) noexcept;

}  // namespace debroot::plan
