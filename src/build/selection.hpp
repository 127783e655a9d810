/// From indexes to the list of packages: what the variant and the includes mean, and in which order dpkg gets them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build/archive_indexes.hpp"
#include "build/install_plan.hpp"
#include "debroot/error.hpp"
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
  /// Why what comes after the essential set could not be chosen yet (InstallPlan::is_rest_open).
  std::optional<Error> rest_failure;
};

/// Whether a variant has a set that is installed first, after which apt installs the rest: all but those that have only
/// what was asked for.
[[nodiscard]] bool has_second_part(Variant variant);

/// What the builder needs to know of a package.
[[nodiscard]] PlannedPackage planned_package(const debian::BinaryPackage &package);
/// Where the .deb of a package lies.
[[nodiscard]] fetch::Request download_of(const debian::PackageIndex &index, debian::PackageRef ref);

/// `preferences` are those of the root. mmdebstrap has apt choose the second part once the hooks in between have run:
/// where there are such hooks, what cannot be chosen now is left to them.
/// @throws Error of kind unsatisfiable, or usage for an include that names nothing
[[nodiscard]] SelectedPackages select_packages(const BuildPlan &plan, const ArchiveIndexes &indexes,
                                               const debian::AptConfig &config,
                                               const std::vector<resolve::Pin> &preferences);

/// The second part alone, for a root that has `indexes.installed`. @throws as select_packages
[[nodiscard]] SelectedPackages select_rest(const BuildPlan &plan, const ArchiveIndexes &indexes,
                                           const debian::AptConfig &config,
                                           const std::vector<resolve::Pin> &preferences);

}  // namespace debroot::build
