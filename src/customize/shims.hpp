/// What keeps maintainer scripts from starting services: a policy-rc.d that forbids it (Policy section 9.3.3.1's
/// invoke-rc.d asks it) and a start-stop-daemon that does nothing. Both are gone from the finished image.
#pragma once

#include "base/beneath.hpp"

namespace debroot::customize {

/// Which of the two are wanted (`--skip=chroot/policy-rc.d`, `--skip=chroot/start-stop-daemon`).
struct ShimChoice {
  bool policy = true;
  bool daemon = true;
};

/// Puts them in place, each where its directory or program exists.
void install_shims(const base::RootDirectory &root, const ShimChoice &choice = {});

/// Takes both away again; the real start-stop-daemon gets its name back.
void remove_shims(const base::RootDirectory &root);

}  // namespace debroot::customize
