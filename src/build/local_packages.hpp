/// .debs that the user named by path: they join the index as versions of their own.
#pragma once

#include <string>
#include <vector>

#include "debian/package_index.hpp"

namespace debroot::build {

/// Whether an include is the path of a .deb (plan/ made it absolute) rather than a name or pattern.
[[nodiscard]] bool is_local_package(const std::string &include) noexcept;

/// Adds the packages at `paths` to an index that is not sealed yet. They are trusted because the user named them; the
/// digest taken here is what the builder checks them against. @return where each ended up. @throws Error of kind
/// package
[[nodiscard]] std::vector<debian::PackageRef> add_local_packages(debian::PackageIndex &index,
                                                                 const std::vector<std::string> &paths);

}  // namespace debroot::build
