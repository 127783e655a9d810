#include "pack/image_file.hpp"

#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"

namespace debroot::pack {

ImageFile::ImageFile(const ImageSink &output) : fd_(output.fd), subject_(subject_of(output.name)) {
  struct stat info {};
  is_device_ = ::fstat(fd_, &info) == 0 && S_ISBLK(info.st_mode);
}

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
  if (is_device_) return size <= size_ ? (size_ = size, true) : write_zeros(size);
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed(errno);
  size_ = size;
  return true;
}

bool ImageFile::write_zeros(std::uint64_t end) noexcept {
  static constexpr std::array<char, 4096> kZeros{};
  while (size_ < end) {
    std::array<std::uint64_t, 2> range{size_, end - size_};
    bool is_aligned = range[0] % kZeros.size() == 0 && range[1] % kZeros.size() == 0;
    if (is_aligned && ::ioctl(fd_, BLKZEROOUT, range.data()) == 0) {
      size_ = end;
      return true;
    }
    std::uint64_t part = std::min<std::uint64_t>(kZeros.size() - size_ % kZeros.size(), end - size_);
    if (!write(size_, kZeros.data(), static_cast<std::size_t>(part))) return false;
  }
  return true;
}

void ImageFile::throw_failure(const std::string &cause) const {
  std::string sentence = fmt::format("cannot write {}", subject_);
  if (failure_) throw base::os_error(ErrorKind::output, *failure_, sentence);
  throw Error(ErrorKind::internal, fmt::format("{}: {}", sentence, cause));
}

}  // namespace debroot::pack
