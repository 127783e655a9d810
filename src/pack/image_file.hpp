/// The file that holds a file system: written out of order, and read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "debroot/error.hpp"
#include "pack/image_sink.hpp"

namespace debroot::pack {

/// Reads and writes at offsets of a descriptor that stays the caller's. Its functions return false rather than throw,
/// since the callers are libraries in C; what went wrong is kept for `throw_failure`.
class ImageFile {
 public:
  explicit ImageFile(const ImageSink &output);

  [[nodiscard]] bool read(std::uint64_t offset, void *bytes, std::size_t size) noexcept;
  [[nodiscard]] bool write(std::uint64_t offset, const void *bytes, std::size_t size) noexcept;
  /// What is new is zeros. A block device keeps its size, and what it held before behind the end.
  [[nodiscard]] bool resize(std::uint64_t size) noexcept;
  /// End of what was written so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// "'a.squashfs'"
  [[nodiscard]] const std::string &subject() const noexcept { return subject_; }
  /// Throws the first failure of a call above as an Error of kind output, or else one with `cause`, of kind internal.
  [[noreturn]] void throw_failure(const std::string &cause) const;

 private:
  bool failed(int errno_value) noexcept;
  bool write_zeros(std::uint64_t end) noexcept;

  int fd_;
  bool is_device_ = false;
  std::string subject_;
  std::uint64_t size_ = 0;
  std::optional<int> failure_;  ///< value of errno
};

}  // namespace debroot::pack
