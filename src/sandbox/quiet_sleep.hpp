/// Sleeping that takes no time, for scripts that are known to sleep for nothing.
#pragma once

namespace debroot::sandbox {

/// Makes nanosleep and clock_nanosleep return success at once in this process and all that come from it. Neither
/// allocates nor throws, so that it may stand between vfork and exec. Does nothing on architectures whose calls it does
/// not know. @return false when the kernel refuses it
bool install_quiet_sleep() noexcept;

}  // namespace debroot::sandbox
