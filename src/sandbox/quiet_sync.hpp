/// Makes fsync and its kin succeed without doing anything, for this process and all it starts.
#pragma once

namespace debroot::sandbox {

/// Installs a seccomp filter under which fsync, fdatasync, sync, syncfs and sync_file_range return 0, in every system
/// call convention the kernel may offer beside the native one. Privileges of programs are left alone (no
/// no_new_privs: scripts may call su). @return false when the kernel has no seccomp or refuses; nothing changes then
[[nodiscard]] bool install_quiet_sync() noexcept;

}  // namespace debroot::sandbox
