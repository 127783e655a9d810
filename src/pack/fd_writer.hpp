/// Writes to a descriptor and says in the user's words what went wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace debroot::pack {

/// Writes everything it is given to a descriptor that stays the caller's. A reader that went away is an error, never a
/// SIGPIPE.
class FdWriter {
 public:
  /// `name` as ImageSink::name; `is_cancelled` may be empty.
  FdWriter(int fd, const std::string &name, std::function<bool()> is_cancelled);

  /// @throws Error of kind output, or interrupted
  void write(std::string_view bytes);
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// "'a.tar'" or "the image".
  [[nodiscard]] const std::string &subject() const noexcept { return subject_; }

 private:
  int fd_;
  std::size_t piece_bytes_;
  std::string subject_;
  std::function<bool()> is_cancelled_;
  std::uint64_t bytes_ = 0;
};

/// The Error of kind interrupted that every part of pack/ throws when it is told to stop.
[[noreturn]] void throw_interrupted();

}  // namespace debroot::pack
