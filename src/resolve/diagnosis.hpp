/// Finds the reasons behind a failed marking.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "resolve/explain.hpp"
#include "resolve/marking.hpp"

namespace debroot::resolve {

/// Explains why `requested` cannot all be installed beside what is installed. Works from relations and candidates
/// alone, so that it also finds reasons the marking passed over.
/// @param marking a fresh one, in which the requested versions are candidates and nothing is marked.
/// @param leftovers what was broken in the failed one, for the case that no simpler reason is found.
[[nodiscard]] Unsatisfiable diagnose(Marking &marking, const Policy &policy, const std::vector<PackageRef> &requested,
                                     std::vector<Problem> leftovers);

/// The broken packages of a failed marking, one statement for each relation that does not hold.
[[nodiscard]] std::vector<Problem> broken_relations(Marking &marking);

/// Names of packages in the index that look like `name`, the nearest first, at most three.
[[nodiscard]] std::vector<std::string> near_names(const debian::PackageIndex &index, std::string_view name);

}  // namespace debroot::resolve
