/// What keeps maintainer scripts from starting services: a policy-rc.d that forbids it (Policy section 9.3.3.1's
/// invoke-rc.d asks it) and a start-stop-daemon that does nothing. Both are gone from the finished image.
#pragma once

#include "base/beneath.hpp"

namespace debroot::customize {

/// Puts both in place, each where its directory or program exists.
void install_shims(const base::RootDirectory &root);

/// Takes both away again; the real start-stop-daemon gets its name back.
void remove_shims(const base::RootDirectory &root);

}  // namespace debroot::customize
