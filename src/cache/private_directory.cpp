#include "cache/private_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace debroot::cache {
namespace {

std::optional<std::string> why_not_own(const std::string &directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return fmt::format("'{}' is not there", directory);
  if (info.st_uid != ::geteuid()) return fmt::format("'{}' belongs to another user", directory);
  if ((info.st_mode & 0022) != 0) return fmt::format("others may write to '{}'", directory);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_private(const std::string &directory) {
  if (auto why = why_not_own(directory.substr(0, directory.rfind('/')))) return why;
  return why_not_own(directory);
}

DirectoryLock::DirectoryLock(const std::string &directory)
    : fd_(::open((directory + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (!fd_) throw base::os_error(ErrorKind::output, errno, fmt::format("cannot lock '{}'", directory));
  while (::flock(fd_.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
}

}  // namespace debroot::cache
