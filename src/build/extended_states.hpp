/// /var/lib/apt/extended_states: which packages nobody asked for, as apt writes it before it starts dpkg (apt-pkg's
/// pkgDepCache::writeStateFile). What a hook's apt has left there counts: apt keeps its stanzas in their places.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/beneath.hpp"
#include "build/install_plan.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::build {

/// A package that apt was asked for, or that it takes along.
struct MarkedPackage {
  std::string name;
  std::string architecture;  ///< what is independent of it counts as of the native one
  bool is_automatic = false;
};

/// Whether a package of that architecture, or one independent of it, is installed.
using IsInstalled = std::function<bool(std::string_view name, std::string_view architecture)>;

/// The text that replaces `before`. `marked` is in the order in which apt would write it. What is installed and not
/// asked for keeps the mark it has.
[[nodiscard]] std::string merged_extended_states(std::string_view before, std::span<const MarkedPackage> marked,
                                                 const IsInstalled &is_installed);

/// Writes the file for the packages of plan.runs, before they are installed; none when apt would have nothing to do.
void write_extended_states(const base::RootDirectory &root, const dpkgdb::Database &database, const InstallPlan &plan,
                           const std::string &native_architecture);

}  // namespace debroot::build
