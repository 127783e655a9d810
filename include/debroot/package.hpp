/// The vocabulary by which debroot's interfaces name packages.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace debroot {

/// One binary package in one version for one architecture.
struct PackageId {
  std::string name;
  std::string version;
  std::string architecture;  ///< Debian name ("amd64") or "all"

  friend auto operator<=>(const PackageId &, const PackageId &) = default;
};

/// How a package is named in every message: `name_version_arch`.
[[nodiscard]] inline std::string to_string(const PackageId &id) {
  return id.name + "_" + id.version + "_" + id.architecture;
}

}  // namespace debroot
