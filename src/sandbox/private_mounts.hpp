/// Mounts that only the processes of one mount namespace see.
#pragma once

namespace debroot::sandbox {

/// In a mount namespace just made: ends the exchange of mounts with the namespace it was copied from. Where the caller
/// was put into a chroot(2), its root becomes the one of the namespace: mount(2) changes only roots of mounts,
/// user_namespaces(7) refuse a process in a chroot, and so does pivot_root(2) unless that chroot is a mount below one
/// that is private. Every path stays what it was; descriptors and working directories of other processes are not
/// touched. @return false with errno set
[[nodiscard]] bool make_mounts_private() noexcept;

}  // namespace debroot::sandbox
