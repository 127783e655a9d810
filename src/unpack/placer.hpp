/// Moves staged packages into the root: once as `tar` would (the essential set, before any script), once as dpkg does
/// (each package at its own place in the order).
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/beneath.hpp"
#include "base/known_files.hpp"
#include "dpkgdb/database.hpp"
#include "dpkgdb/file_table.hpp"
#include "dpkgdb/path_rules.hpp"
#include "unpack/stage.hpp"

namespace debroot::unpack {

/// Identity of a file as extraction left it: as long as it still holds, dpkg's own unpacking of the same package would
/// only put the same bytes there again.
struct FileIdentity {
  ino_t inode = 0;
  timespec change_time{};
};
using ExtractedFiles = std::unordered_map<std::string, FileIdentity>;

/// Extracts a package as `tar --extract --keep-directory-symlink` run as root does: existing files are replaced,
/// existing directories take the archive's owner, mode and time. The identities of what is made go into `extracted`,
/// the files into `unpacked`.
void extract_package(const base::RootDirectory &root, const StagedPackage &package,
                     const dpkgdb::AccountNames &accounts, ExtractedFiles &extracted, base::KnownFiles &unpacked);

/// What placing a package as dpkg does needs to know of the rest of the system.
struct PlaceContext {
  const base::RootDirectory &root;
  const dpkgdb::Database &database;
  dpkgdb::FileTable &files;
  dpkgdb::Diversions diversions;
  dpkgdb::AccountNames accounts;
  dpkgdb::StatOverrides overrides;
  /// Receives the files that are put in place, conffiles too.
  base::KnownFiles &unpacked;
  /// Files of this package that extraction already put in place; null when nothing was.
  const ExtractedFiles *extracted = nullptr;
  /// Gives the staged package with bodies when `extracted` does not serve (a script diverted or removed a file).
  std::function<const StagedPackage &()> restage;
};

/// What came of placing a package.
struct Placed {
  std::vector<std::string> list;       ///< every path of the package, in archive order: the content of info/*.list
  std::vector<std::string> changed;    ///< paths, after diversions, that file triggers look at
  std::vector<std::string> takeovers;  ///< info names of packages that lost files to this one by Replaces
};

/// Unpacks as dpkg does: diversions and statoverrides apply, conffiles stay aside as `.dpkg-new`, existing directories
/// (and links to directories) are left alone, a file of another package is an error unless Replaces allows it
/// (Policy section 7.6). @throws Error of kind package
[[nodiscard]] Placed place_package(const StagedPackage &package, const dpkgdb::PackageRecord &record,
                                   PlaceContext &context);

/// What a package's control archive declares as conffiles. @throws Error of kind package naming `subject`
[[nodiscard]] std::vector<dpkgdb::Conffile> declared_conffiles(const deb::ControlArchive &control,
                                                               std::string_view subject);

}  // namespace debroot::unpack
