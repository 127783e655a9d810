/// The order in which a selection is unpacked and configured: the calls of dpkg that apt 2.6 would make.
///
/// Everything that depends on order in an image follows from it (uids, group lines, /etc/shells, debconf's database,
/// alternatives), so it is apt's own: essential packages and what they depend on are configured as soon as possible,
/// Pre-Depends are configured before what needs them is unpacked, all else is left to one last "configure pending".
#pragma once

#include <span>
#include <vector>

#include "debian/package_index.hpp"
#include "resolve/policy.hpp"

namespace debroot::resolve {

/// One call of dpkg.
struct DpkgRun {
  enum class Kind { unpack, configure, configure_pending };
  Kind kind = Kind::unpack;
  std::vector<debian::PackageRef> packages;  ///< in order; empty for configure_pending

  friend bool operator==(const DpkgRun &, const DpkgRun &) = default;
};

/// The calls that install `chosen` beside `installed`; the last one is configure_pending unless there is nothing to do.
/// @throws Error of kind unsatisfiable when Pre-Depends form a cycle.
[[nodiscard]] std::vector<DpkgRun> plan_runs(const debian::PackageIndex &index, const Policy &policy,
                                             std::span<const debian::PackageRef> chosen,
                                             std::span<const debian::PackageRef> installed);

/// The packages of all unpack calls, in order: what apt hands to DPkg::Pre-Install-Pkgs.
[[nodiscard]] std::vector<debian::PackageRef> unpack_order(const std::vector<DpkgRun> &runs);

}  // namespace debroot::resolve
