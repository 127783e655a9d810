/// Which Packages files a suite has for an image, and where they lie.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "index/release_file.hpp"

namespace debroot::index {

/// One form of an index: a file below the Release file's directory.
struct PackagesFile {
  std::string path;          ///< "main/binary-amd64/Packages.xz"
  std::string by_hash_path;  ///< "main/binary-amd64/by-hash/SHA256/…"; empty when the archive has no by-hash
  std::string sha256;
  std::uint64_t size_bytes = 0;
};

/// One index in all its forms, best first: gz, xz, zstd, plain. Any one will do.
struct PackagesIndex {
  std::string component;     ///< empty for a flat archive
  std::string architecture;  ///< "amd64", "all"; empty for a flat archive
  std::vector<PackagesFile> forms;
};

/// The indexes of `component` for `architectures`, in their order; where the archive keeps arch:all packages in an
/// index of their own, that one follows. An empty component means a flat archive with its one index.
/// @throws Error of kind index when the Release lists none: "Release of 'SUBJECT' lists no Packages file of 'C' for
/// 'A'"
[[nodiscard]] std::vector<PackagesIndex> choose_packages_files(const ReleaseFile &release, std::string_view component,
                                                               const std::vector<std::string> &architectures,
                                                               std::string_view subject);

/// Directory of a suite's Release file below the archive root, with a slash behind it: "dists/bookworm/", for a flat
/// archive "" of "./" and "sub/" of "sub/".
[[nodiscard]] std::string suite_directory(std::string_view suite);

}  // namespace debroot::index
