/// Images that are directories: staged where they end up, so nothing is packed, only checked before and settled after.
#pragma once

#include <cstdint>
#include <string>

#include "base/beneath.hpp"

namespace debroot::pack {

/// Checks, before anything is made, that `path` may become an image: it does not exist (but its parent does) or is an
/// empty directory, an empty lost+found aside; never '/'. With `allows_filled` (--skip=check/empty) something may be in
/// it. @throws Error of kind usage when it may not, of kind output when it cannot be looked at
void check_directory_target(const std::string &path, bool allows_filled = false);

/// Gives everything in `root` the times that a tar of it would have: no modification time newer than the epoch, none
/// with a fraction of a second. Directories come after what is in them; mounted file systems are left alone. Access
/// times stay. @throws Error of kind output
void finish_directory(const base::RootDirectory &root, std::int64_t epoch_seconds);

}  // namespace debroot::pack
