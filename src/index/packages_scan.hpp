/// Packages files into the PackageIndex: one pass over the text, each field name looked at once.
///
/// What later steps build paths and commands from is validated here: name, version, architecture, pool path, size and
/// digest. Stanzas of architectures that the image does not have are passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/trust.hpp"
#include "debian/package_index.hpp"
#include "index/release_file.hpp"

namespace debroot::index {

/// Most that one decompressed Packages file may have; Debian's largest has 60 MB.
inline constexpr std::uint64_t kPackagesLimitBytes = std::uint64_t{1} << 30;

/// Adds the packages of one Packages file, in any compression, whose architecture is "all" or one of `architectures`.
/// `subject` names the file in messages. Call PackageIndex::seal after the last one. @return number of stanzas taken
/// @throws Error of kind index: "cannot read 'SUBJECT': line N: …"
std::size_t add_packages(debian::PackageIndex &index, const base::VerifiedBytes &packages, debian::PackageSource source,
                         const std::vector<std::string> &architectures, std::string_view subject);

/// A Packages file that is decompressed and scanned but in no index yet: the part that worker threads can do.
struct ScannedPackages {
  std::shared_ptr<const std::string> text;
  std::vector<debian::BinaryPackage> packages;  ///< without a source yet
};

/// The first half of add_packages; safe to call from several threads. @throws Error as add_packages
[[nodiscard]] ScannedPackages scan_packages(const base::VerifiedBytes &packages,
                                            const std::vector<std::string> &architectures, std::string_view subject);
/// The second half. @return number of stanzas taken
std::size_t add_packages(debian::PackageIndex &index, ScannedPackages scanned, debian::PackageSource source);

/// A PackageSource with what `release` says; `requested` is the suite as the source entry names it.
[[nodiscard]] debian::PackageSource make_source(const ReleaseFile &release, std::string_view archive_root,
                                                std::string_view requested, std::string_view component);

/// Whether `path` may be joined to an archive root: relative, not empty, without ".." and control characters.
[[nodiscard]] bool is_safe_path(std::string_view path) noexcept;
/// Whether `text` is 64 hexadecimal digits.
[[nodiscard]] bool is_sha256(std::string_view text) noexcept;

}  // namespace debroot::index
