#include "base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/text.hpp"

namespace debroot::base {

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Fd Fd::duplicate() const {
  int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw os_error(ErrorKind::internal, errno, "cannot duplicate a file descriptor");
  return Fd(copy);
}

bool is_owner_set(int result) noexcept { return result == 0 || (errno == EPERM && ::geteuid() != 0); }

Error os_error(ErrorKind kind, int errno_value, std::string_view what) {
  std::string cause = without_capital(std::generic_category().message(errno_value));
  return {kind, fmt::format("{}: {}", what, cause)};
}

Fd open_file(const std::string &path, int flags, mode_t mode) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw os_error(ErrorKind::output, errno, fmt::format("cannot open '{}'", path));
  return Fd(fd);
}

std::pair<Fd, Fd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw os_error(ErrorKind::internal, errno, "cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::string read_all(int fd, std::uint64_t limit_bytes) {
  constexpr std::size_t kChunk = std::size_t{256} * 1024;
  struct stat info {};
  std::string out;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    out.reserve(static_cast<std::size_t>(info.st_size) + 1);
  }
  while (true) {
    std::size_t used = out.size();
    std::size_t room = out.capacity() > used ? out.capacity() - used : kChunk;
    out.resize(used + room);
    ssize_t got = ::read(fd, out.data() + used, room);
    if (got < 0 && errno == EINTR) {
      out.resize(used);
      continue;
    }
    if (got < 0) throw os_error(ErrorKind::output, errno, "cannot read a file");
    out.resize(used + static_cast<std::size_t>(got));
    if (out.size() > limit_bytes) throw Error(ErrorKind::output, fmt::format("file larger than {} bytes", limit_bytes));
    if (got == 0) return out;
  }
}

std::string read_file(const std::string &path, std::uint64_t limit_bytes) {
  Fd fd = open_file(path, O_RDONLY);
  try {
    return read_all(fd.get(), limit_bytes);
  } catch (Error &error) {
    throw std::move(error.frame(fmt::format("reading '{}'", path)));
  }
}

void write_all(int fd, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      int cause = errno;
      throw os_error(ErrorKind::output, cause, path.empty() ? "cannot write" : fmt::format("cannot write '{}'", path));
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace debroot::base
