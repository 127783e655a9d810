/// Creation of single entries in a root; private to unpack/.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/beneath.hpp"
#include "unpack/stage.hpp"

namespace debroot::unpack {

/// Owner and mode that an entry finally gets.
struct Ownership {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
};

/// Finds parents of paths, keeping the last one open: archives come grouped by directory.
class ParentCache {
 public:
  explicit ParentCache(const base::RootDirectory &root) : root_(&root) {}
  /// Descriptor of the directory that holds `path`, good until the next call; sets `leaf`. A missing parent is made
  /// with mode 0755, as tar and dpkg do for archives that forget it.
  [[nodiscard]] int parent_of(const std::string &path, std::string &leaf);

 private:
  const base::RootDirectory *root_;
  std::string directory_;
  base::Fd fd_;
};

/// lstat relative to an open directory; nothing when absent.
[[nodiscard]] std::optional<struct stat> status_at(int directory, const std::string &leaf);

/// Creates what `staged` describes as `leaf` in `directory`, replacing a file or link that is there, with owner, mode
/// and mtime. Directories are not for this function. `link_target` is the path, inside the root, of a hard link's other
/// name. @throws Error of kind package
void create_node(const base::RootDirectory &root, int directory, const std::string &leaf, const StagedPackage &package,
                 const StagedEntry &staged, const Ownership &ownership, const std::string &link_target);

/// Owner, mode and mtime of a directory just made or met.
void settle_directory(int directory, const std::string &leaf, const deb::Entry &entry, const Ownership &ownership);

/// Owner of an entry: its names where the root knows them, else its numbers (dpkg's and tar's rule).
[[nodiscard]] Ownership ownership_of(const deb::Entry &entry, const std::optional<uid_t> &uid,
                                     const std::optional<gid_t> &gid);

}  // namespace debroot::unpack
