/// Unpacks a package beside the root, ahead of its turn: decompression and writing happen on worker threads, and what
/// is left for the package's place in the order are renames.
#pragma once

#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/trust.hpp"
#include "deb/archive.hpp"
#include "unpack/path_filter.hpp"

namespace debroot::unpack {

/// One entry of a staged package.
struct StagedEntry {
  deb::Entry entry;
  std::string body;          ///< name of the file's bytes in the stage; empty for everything but files
  std::string md5;           ///< of a file's bytes, where the package brings no md5sums: dpkg records them then
  bool is_left_out = false;  ///< by the filter: the database knows it, the root does not get it
};

/// A package whose files lie in a directory of their own, each with its mode, owner and mtime already set.
struct StagedPackage {
  std::string subject;  ///< "bash_5.2_amd64"
  deb::ControlArchive control;
  std::vector<StagedEntry> entries;  ///< in archive order, but links last: dpkg's order
  base::RootDirectory bodies;
};

/// Reads only control.tar of a package.
[[nodiscard]] StagedPackage stage_control(const base::VerifiedFile &package, const std::string &subject);

/// Unpacks `package` into the new directory `name` below `stage`, which lies on the root's file system. Safe to call
/// from several threads with different names. @throws Error of kind package
[[nodiscard]] StagedPackage stage_package(const base::VerifiedFile &package, const std::string &subject,
                                          const base::RootDirectory &stage, const std::string &name,
                                          const PathFilter &filter);

}  // namespace debroot::unpack
