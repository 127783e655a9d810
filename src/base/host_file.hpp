/// Files and directories of the host that several processes of debroot share.
#pragma once

#include <string>
#include <string_view>

namespace debroot::base {

/// mkdir -p with mode 0700. A read-only file system or a foreign parent is no obstacle as long as the directory is
/// there. @return 0 or errno
[[nodiscard]] int make_private_directories(const std::string &path);

/// Replaces the file at `path` in one step, by one with mode 0600. @throws Error of kind output
void write_whole(const std::string &path, std::string_view bytes);

/// Gives the unnamed file `file` (O_TMPFILE) the name `name`, relative to the directory `directory` or AT_FDCWD.
/// @return 0 or errno; EEXIST where the name is taken
[[nodiscard]] int link_unnamed(int file, int directory, const std::string &name);

}  // namespace debroot::base
