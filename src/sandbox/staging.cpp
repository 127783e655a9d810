#include "sandbox/staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::sandbox {
namespace {

constexpr std::size_t kRandomLength = 6;
constexpr std::uint64_t kReserveBytes = 512'000'000;
/// Database files, dpkg's temporary names and the like come on top of what packages list.
constexpr std::uint64_t kSpareInodes = 100'000;

bool is_staging_name(std::string_view name) {
  for (std::string_view prefix : {kStagingPrefix, kHookRootPrefix}) {
    if (name.size() == prefix.size() + kRandomLength && name.starts_with(prefix)) return true;
  }
  return false;
}

bool try_lock(int fd) noexcept { return ::flock(fd, LOCK_EX | LOCK_NB) == 0; }

/// True while `fd` is still what stands at `path`: a sweep may have come between making and locking.
bool is_at(int fd, const std::string &path) {
  struct stat held {};
  struct stat found {};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &found) == 0 && held.st_dev == found.st_dev &&
         held.st_ino == found.st_ino;
}

std::string absolute(const std::string &path) {
  char *resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) {
    throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot use '{}' for temporary files", path))
        .hint("TMPDIR=DIR with a directory on a disk");
  }
  std::string result(resolved);
  ::free(resolved);
  return result;
}

/// Mount points are shown with blanks, line ends and backslashes as \\ooo (proc_pid_mountinfo(5)).
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

void mount_memory(const std::string &path, const StagingChoice &choice) {
  std::string options = fmt::format("size={},nr_inodes={},mode=0755", choice.size_bytes, choice.inodes);
  if (::mount("debroot", path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot mount a tmpfs on '{}'", path))
        .detail("got", options);
  }
}

}  // namespace

StagingChoice choose_staging(const StagingNeed &need, const MemoryFacts &facts) {
  std::uint64_t available = std::min(facts.available_bytes, facts.cgroup_free_bytes.value_or(facts.available_bytes));
  std::uint64_t usable = available - std::min(available, kReserveBytes);
  StagingChoice choice;
  choice.reason =
      fmt::format("{} of memory can be used, {} are needed", base::human_bytes(usable), base::human_bytes(need.bytes));
  if (need.bytes + need.bytes / 2 > usable) return choice;
  choice.kind = StagingKind::memory;
  choice.size_bytes = usable;
  choice.inodes = 2 * need.inodes + kSpareInodes;
  return choice;
}

void check_staging_flags(const std::string &directory, unsigned long mount_flags, bool uses_nodes) {
  bool is_noexec = (mount_flags & ST_NOEXEC) != 0;
  bool is_nodev = (mount_flags & ST_NODEV) != 0 && uses_nodes;
  if (!is_noexec && !is_nodev) return;
  throw Error(ErrorKind::sandbox,
              fmt::format("cannot build on '{}': it is mounted {}", directory, is_noexec ? "noexec" : "nodev"))
      .hint("TMPDIR=DIR with a directory on a file system without this option");
}

Staging Staging::create(const std::string &temporary_directory, std::string_view prefix) {
  constexpr int kAttempts = 16;
  std::string parent = absolute(temporary_directory);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::string path = fmt::format("{}/{}XXXXXX", parent == "/" ? "" : parent, prefix);
    if (::mkdtemp(path.data()) == nullptr) {
      throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot make a directory in '{}'", parent))
          .hint("TMPDIR=DIR with a directory that you may write to");
    }
    base::Fd lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock && try_lock(lock.get()) && is_at(lock.get(), path)) return {std::move(path), std::move(lock)};
  }
  throw Error(ErrorKind::sandbox, fmt::format("cannot lock a directory in '{}'", parent))
      .hint("TMPDIR=DIR with a directory on a local file system");
}

Staging::~Staging() {
  if (!path_.empty() && lock_) ::rmdir(path_.c_str());
}

base::RootDirectory prepare_staging(const std::string &path, const StagingChoice &choice, bool uses_nodes) {
  if (choice.kind == StagingKind::memory) {
    mount_memory(path, choice);
  } else {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) {
      throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot use '{}' for the tree", path));
    }
    check_staging_flags(path, info.f_flag, uses_nodes);
  }
  auto staging = base::RootDirectory::open(path);
  staging.make_directories("root");
  return staging;
}

void mount_tree(const std::string &root_path, const std::string &place) {
  if (::mount(root_path.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) == 0) return;
  throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot mount '{}' on '{}'", root_path, place));
}

std::vector<std::string> mount_points_below(std::string_view mountinfo, std::string_view path) {
  std::vector<std::string> found;
  for (std::string_view line : base::split(mountinfo, '\n')) {
    auto words = base::split_words(line);
    if (words.size() < 5) continue;
    std::string point = unescape_octal(words[4]);
    bool is_below = point.starts_with(path) && (point.size() == path.size() || point[path.size()] == '/');
    if (is_below) found.push_back(std::move(point));
  }
  // a mount stands after the one it lies on
  std::reverse(found.begin(), found.end());
  return found;
}

void unmount_below(const std::string &path) {
  if (::access("/proc/self/mountinfo", R_OK) != 0) return;  // a chroot without /proc: what is there cannot be told
  for (const std::string &point : mount_points_below(base::read_file("/proc/self/mountinfo"), path)) {
    if (point != path) ::umount2(point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }
}

void remove_staging(const std::string &path) {
  unmount_below(path);
  ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return;
  auto staging = base::RootDirectory::open(path);
  staging.clear_directory("/");
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot remove '{}'", path));
  }
}

std::size_t sweep_stale_stagings(const std::string &temporary_directory, uid_t owner) {
  base::Fd parent(::open(temporary_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return 0;
  std::size_t removed = 0;
  for (const std::string &name : base::list_directory(parent.get())) {
    if (!is_staging_name(name)) continue;
    base::Fd directory(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!directory || ::fstat(directory.get(), &info) != 0 || info.st_uid != owner || !try_lock(directory.get()))
      continue;
    try {
      // a place for a mount is empty, or somebody else's
      if (name.starts_with(kStagingPrefix)) base::RootDirectory(directory.duplicate()).clear_directory("/");
      if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0) ++removed;
    } catch (const Error &) {
      // another run may have more right or luck; a stale tree is no reason to fail this one
    }
  }
  return removed;
}

}  // namespace debroot::sandbox
