/// From indexes to the list of packages: what the variant and the includes mean, and in which order dpkg gets them.
#pragma once

#include <string>
#include <vector>

#include "build/archive_indexes.hpp"
#include "build/install_plan.hpp"
#include "debroot/plan.hpp"
#include "debroot/report.hpp"
#include "fetch/request.hpp"
#include "resolve/policy.hpp"

namespace debroot::build {

/// Everything chosen.
struct SelectedPackages {
  InstallPlan plan;                       ///< without epoch, sources and list names
  std::vector<ReportedPackage> reported;  ///< in install order
  /// The .deb of each package of `plan`, in its numbering, then of each twin.
  std::vector<fetch::Request> downloads;
  std::vector<debian::PackageRef> refs;  ///< each package of `plan` in the index
};

/// What the builder needs to know of a package.
[[nodiscard]] PlannedPackage planned_package(const debian::BinaryPackage &package);
/// Where the .deb of a package lies.
[[nodiscard]] fetch::Request download_of(const debian::PackageIndex &index, debian::PackageRef ref);

/// `preferences` are those of the root. @throws Error of kind unsatisfiable, or usage for an include that names nothing
[[nodiscard]] SelectedPackages select_packages(const BuildPlan &plan, const ArchiveIndexes &indexes,
                                               const debian::AptConfig &config,
                                               const std::vector<resolve::Pin> &preferences);

}  // namespace debroot::build
