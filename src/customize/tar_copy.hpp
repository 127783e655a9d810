/// Files as a tar stream and back, as tar(1) is run for mmdebstrap's copy-in, copy-out, sync-in, sync-out, tar-in and
/// tar-out: owners as numbers, extended attributes (and so ACLs and capabilities), hard links, devices.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/beneath.hpp"

namespace debroot::customize {

/// Writes `name` of the open `directory` and all below it, sorted, as a tar; "." is the content of the directory under
/// names that begin with "./". Links are stored as links, sockets left out. Errors of `put` pass through.
/// @param shown what errors call the directory
/// @throws Error of kind script
void write_tar(int directory, const std::string &name, const std::string &shown,
               const std::function<void(std::string_view)> &put);

/// How members become files.
struct ExtractRules {
  bool keeps_owner = true;        ///< owner and mode as they are, which takes root; else the caller's, under its umask
  bool leaves_out_nodes = false;  ///< character and block devices are passed over
  std::string nodes_hint;         ///< what helps when they cannot be made; may be empty
  std::function<void(const std::string &)> on_warning;  ///< attributes that the file system does not take; may be empty
};

/// Unpacks a tar, in any compression that libarchive reads, below `directory` of `root`. What stands in the way is
/// replaced, directories excepted: those get the member's owner, mode and time. No member leads out of the root.
/// @param take gives the next piece, nothing at the end; its errors pass through
/// @throws Error of kind script
void extract_tar(const std::function<std::optional<std::string>()> &take, const base::RootDirectory &root,
                 const std::string &directory, const ExtractRules &rules);

}  // namespace debroot::customize
