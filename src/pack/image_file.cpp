#include "pack/image_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"

namespace debroot::pack {

bool ImageFile::failed(int errno_value) noexcept {
  if (!failure_) failure_ = errno_value;
  return false;
}

bool ImageFile::read(std::uint64_t offset, void *bytes, std::size_t size) noexcept {
  for (char *next = static_cast<char *>(bytes); size > 0;) {
    ssize_t got = ::pread(fd_, next, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    if (got == 0) return failed(EIO);
    next += got;
    offset += static_cast<std::uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool ImageFile::write(std::uint64_t offset, const void *bytes, std::size_t size) noexcept {
  for (const char *next = static_cast<const char *>(bytes); size > 0;) {
    ssize_t put = ::pwrite(fd_, next, size, static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return failed(errno);
    next += put;
    offset += static_cast<std::uint64_t>(put);
    size -= static_cast<std::size_t>(put);
  }
  size_ = std::max(size_, offset);
  return true;
}

bool ImageFile::resize(std::uint64_t size) noexcept {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed(errno);
  size_ = size;
  return true;
}

void ImageFile::throw_failure(const std::string &cause) const {
  std::string sentence = fmt::format("cannot write {}", subject_);
  if (failure_) throw base::os_error(ErrorKind::output, *failure_, sentence);
  throw Error(ErrorKind::internal, fmt::format("{}: {}", sentence, cause));
}

}  // namespace debroot::pack
