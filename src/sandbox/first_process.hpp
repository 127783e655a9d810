/// A process that is the first one of its pid namespace.
#pragma once

#include <sys/types.h>

namespace debroot::sandbox {

/// As fork(2), but the child is alone in the new namespaces that `flags` (CLONE_NEW…) name; 0 is a plain fork. To be
/// called by a process of one thread; the child must never return to what the caller was doing. @return as fork; where
/// there has to be a process between, its number: it ends with the child, and the child with it, if that asked for
/// PR_SET_PDEATHSIG
[[nodiscard]] pid_t fork_into(unsigned long flags) noexcept;

}  // namespace debroot::sandbox
