#include "base/host_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.hpp"

namespace debroot::base {

int make_private_directories(const std::string &path) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      int failure = errno;
      struct stat info {};
      if (::stat(part.c_str(), &info) != 0) return failure;
    }
    if (at == std::string::npos) return 0;
  }
}

void write_whole(const std::string &path, std::string_view bytes) {
  std::string temporary = path + ".XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw os_error(ErrorKind::output, errno, fmt::format("cannot write '{}'", path));
  try {
    write_all(fd.get(), bytes, path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw os_error(ErrorKind::output, errno, fmt::format("cannot write '{}'", path));
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

int link_unnamed(int file, int directory, const std::string &name) {
  // the empty path works without /proc but wants a capability (or a recent kernel); /proc works for everybody
  if (::linkat(file, "", directory, name.c_str(), AT_EMPTY_PATH) == 0) return 0;
  if (errno == EEXIST) return EEXIST;
  std::string source = fmt::format("/proc/self/fd/{}", file);
  return ::linkat(AT_FDCWD, source.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

}  // namespace debroot::base
