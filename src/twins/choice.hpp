/// Which packages of the host's architecture a foreign image gets beside it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "debian/package_index.hpp"

namespace debroot::twins {

/// Package and version of the source that `package` was built from. Binary packages of one source may be rebuilt for
/// one architecture only, which their own version shows ("+b2"), so it is the source's that twins share.
struct SourceVersion {
  std::string_view name;
  std::string_view version;
  friend bool operator==(const SourceVersion &, const SourceVersion &) = default;
};
[[nodiscard]] SourceVersion source_of(const debian::BinaryPackage &package) noexcept;

/// One package to unpack beside the image.
struct Twin {
  debian::PackageRef package = 0;  ///< in the index of the host's architecture
  /// Number of the image's package that it is the twin of, or with whose twin it is first needed. Nothing of it is to
  /// be seen before that package is unpacked.
  std::uint32_t with = 0;
  bool is_perl_library = false;  ///< without it no twin of perl may run
};

struct Choice {
  std::vector<Twin> twins;
  std::vector<std::string> emulated;  ///< packages with tools that have no twin: "bash_5.2-1_arm64"
};

/// Chooses for an image of `packages`, numbered by their place. Of each with tools the package of `architecture` with
/// the same name and the same source version in `native`, and the libraries that those depend on.
[[nodiscard]] Choice choose_twins(std::span<const debian::BinaryPackage *const> packages,
                                  const debian::PackageIndex &native, std::string_view architecture);

}  // namespace debroot::twins
