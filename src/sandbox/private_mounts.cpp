#include "sandbox/private_mounts.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "base/fd.hpp"

namespace debroot::sandbox {
namespace {

bool are_private_below_root() noexcept { return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0; }

/// Some directory below the root that every system has.
bool narrow_root() noexcept {
  for (const char *name : {"/usr", "/etc", "/tmp", "/proc"}) {
    if (::chroot(name) == 0) return true;
  }
  return false;
}

/// A directory, told apart from the same one in another mount where the kernel can (from 5.8 on).
struct Spot {
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t inode = 0;
  std::uint64_t mount = 0;
  friend bool operator==(const Spot &, const Spot &) = default;
};

/// @return false with errno set
bool look_at(int directory, Spot &spot) noexcept {
  struct statx info {};
  if (::statx(directory, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &info) != 0) return false;
  bool has_mount = (info.stx_mask & STATX_MNT_ID) != 0;
  spot = {info.stx_dev_major, info.stx_dev_minor, info.stx_ino, has_mount ? info.stx_mnt_id : 0};
  return true;
}

/// Goes up from the working directory until there is nothing above.
bool climb() noexcept {
  Spot below;
  if (!look_at(AT_FDCWD, below)) return false;
  for (int depth = 0; depth < PATH_MAX; ++depth) {
    Spot above;
    if (::chdir("..") != 0 || !look_at(AT_FDCWD, above)) return false;
    if (above == below) return true;
    below = above;
  }
  return false;
}

/// Out of the chroot of the directory `root`, to the root of the namespace: a process whose working directory is
/// outside of its root may walk up as far as there is (chroot(2), NOTES).
bool leave_chroot(int root) noexcept { return narrow_root() && ::fchdir(root) == 0 && climb() && ::chroot(".") == 0; }

/// A mount of the directory `root` on itself becomes the root of the namespace, or at least of this process.
bool enter_as_mount(int root) noexcept {
  std::array<char, PATH_MAX> path{};
  bool is_mounted = ::fchdir(root) == 0 && ::getcwd(path.data(), path.size()) != nullptr && path[0] == '/' &&
                    ::mount(".", ".", nullptr, MS_BIND | MS_REC, nullptr) == 0 && ::chdir(path.data()) == 0;
  if (!is_mounted) return false;
  // refused where the namespace's root is the kernel's first file system
  if (::syscall(SYS_pivot_root, ".", ".") == 0) return ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
  return ::chroot(".") == 0;
}

}  // namespace

bool make_mounts_private() noexcept {
  bool is_root_a_mount = are_private_below_root();
  if (!is_root_a_mount && errno != EINVAL) return false;
  std::array<char, PATH_MAX> working_directory{};
  bool has_directory = ::getcwd(working_directory.data(), working_directory.size()) != nullptr;
  base::Fd directory(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  base::Fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  Spot inner;
  Spot outer;
  if (!root || !look_at(root.get(), inner)) return false;
  if (!leave_chroot(root.get()) || !look_at(AT_FDCWD, outer)) return false;
  // a chroot may be a mount itself: then what is above it could still be shared, which pivot_root refuses
  bool was_in_chroot = !(inner == outer);
  if (was_in_chroot && (!are_private_below_root() || !enter_as_mount(root.get()))) return false;
  // one that cannot be entered again is left, as mmdebstrap leaves it
  bool is_back = !was_in_chroot && directory && ::fchdir(directory.get()) == 0;
  if (!is_back && has_directory) static_cast<void>(::chdir(working_directory.data()) == 0);
  return true;
}

}  // namespace debroot::sandbox
