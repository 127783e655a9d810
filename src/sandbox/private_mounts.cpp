#include "sandbox/private_mounts.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

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

/// Goes up from the working directory until there is nothing above.
bool climb() noexcept {
  struct stat below {};
  if (::stat(".", &below) != 0) return false;
  for (int depth = 0; depth < PATH_MAX; ++depth) {
    struct stat above {};
    if (::chdir("..") != 0 || ::stat(".", &above) != 0) return false;
    if (above.st_dev == below.st_dev && above.st_ino == below.st_ino) return true;
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
  if (are_private_below_root()) return true;
  if (errno != EINVAL) return false;
  std::array<char, PATH_MAX> working_directory{};
  bool has_directory = ::getcwd(working_directory.data(), working_directory.size()) != nullptr;
  base::Fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root || !leave_chroot(root.get()) || !are_private_below_root() || !enter_as_mount(root.get())) return false;
  // one that cannot be entered again is left, as mmdebstrap leaves it
  if (has_directory) static_cast<void>(::chdir(working_directory.data()) == 0);
  return true;
}

}  // namespace debroot::sandbox
