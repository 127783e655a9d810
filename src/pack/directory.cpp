#include "pack/directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/fd.hpp"

namespace debroot::pack {
namespace {

Error refused(const std::string &path, const std::string &cause) {
  return {ErrorKind::usage, fmt::format("cannot make an image in '{}': {}", path, cause)};
}

Error refused(const std::string &path, int errno_value) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot make an image in '{}'", path));
}

void check_parent(const std::string &path) {
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  std::size_t slash = plain.rfind('/');
  std::string parent = slash == std::string::npos ? "." : plain.substr(0, std::max<std::size_t>(slash, 1));
  struct stat info {};
  if (::stat(parent.c_str(), &info) != 0) {
    if (errno == ENOENT) throw refused(path, fmt::format("the directory '{}' does not exist", parent));
    throw refused(path, errno);
  }
  if (!S_ISDIR(info.st_mode)) throw refused(path, fmt::format("'{}' is not a directory", parent));
}

bool is_empty_lost_and_found(int parent, const std::string &name) {
  if (name != "lost+found") return false;
  base::Fd directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory && base::list_directory(directory.get()).empty();
}

class TimeClamp {
 public:
  TimeClamp(dev_t device, std::int64_t epoch_seconds) : device_(device), epoch_seconds_(epoch_seconds) {}

  /// Everything below `directory`, whose path in the root is `path` with a closing slash.
  void clamp_below(int directory, const std::string &path) const {
    for (const std::string &name : base::list_directory(directory)) {
      struct stat info {};
      if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw failed("look at", path + name);
      if (S_ISDIR(info.st_mode)) {
        if (info.st_dev != device_) continue;
        base::Fd inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!inner) throw failed("read", path + name);
        clamp_below(inner.get(), path + name + "/");
      }
      clamp(directory, name, info, path + name);
    }
  }

  void clamp(int directory, const std::string &name, const struct stat &info, const std::string &path) const {
    if (info.st_mtim.tv_sec <= epoch_seconds_ && info.st_mtim.tv_nsec == 0) return;
    timespec times[2]{};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = std::min<std::int64_t>(info.st_mtim.tv_sec, epoch_seconds_);
    if (::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) throw failed("set the time of", path);
  }

 private:
  static Error failed(const char *doing, const std::string &path) {
    return base::os_error(ErrorKind::output, errno, fmt::format("cannot {} '{}' in the root", doing, path));
  }

  dev_t device_;
  std::int64_t epoch_seconds_;
};

}  // namespace

void check_directory_target(const std::string &path, bool allows_filled) {
  struct stat info {};
  struct stat top {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw refused(path, errno);
    return check_parent(path);
  }
  if (::stat(path.c_str(), &info) != 0) throw refused(path, errno);
  if (!S_ISDIR(info.st_mode)) throw refused(path, "it is not a directory");
  if (::stat("/", &top) == 0 && top.st_dev == info.st_dev && top.st_ino == info.st_ino) {
    throw refused(path, "it is this system's root");
  }
  base::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) throw refused(path, errno);
  if (allows_filled) return;
  for (const std::string &name : base::list_directory(directory.get())) {
    if (is_empty_lost_and_found(directory.get(), name)) continue;
    throw refused(path, "the directory is not empty").detail("got", name);
  }
}

void finish_directory(const base::RootDirectory &root, std::int64_t epoch_seconds) {
  base::Fd top(::openat(root.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!top || ::fstat(top.get(), &info) != 0) {
    throw base::os_error(ErrorKind::output, errno, "cannot read '/' in the root");
  }
  TimeClamp clamp(info.st_dev, epoch_seconds);
  clamp.clamp_below(top.get(), "/");
  clamp.clamp(top.get(), ".", info, "/");
}

}  // namespace debroot::pack
