/// File descriptors that close themselves, and whole reads and writes over them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "debroot/error.hpp"

namespace debroot::base {

/// Owns one file descriptor. Moving leaves the source empty (-1).
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd &operator=(Fd &&other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd &) = delete;
  Fd &operator=(const Fd &) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor up to the caller.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes what is held and takes `fd`. Errors of close are lost: writers use `close_checked`.
  void reset(int fd = -1) noexcept;
  /// Duplicates with close-on-exec. @throws Error
  [[nodiscard]] Fd duplicate() const;

 private:
  int fd_ = -1;
};

/// Whether the chown(2) that just returned `result` gave what can be had: to whoever is not root the owner of his own
/// files stays himself, which dpkg accepts as well (--force-not-root). Looks at errno.
[[nodiscard]] bool is_owner_set(int result) noexcept;

/// An Error of `kind` that says "`what`: <text of `errno_value`>".
[[nodiscard]] Error os_error(ErrorKind kind, int errno_value, std::string_view what);

/// Opens `path` of the host with O_CLOEXEC added. @throws Error of kind output: "cannot open 'path': …"
[[nodiscard]] Fd open_file(const std::string &path, int flags, mode_t mode = 0644);

/// A pipe, read end first, both close-on-exec. @throws Error
[[nodiscard]] std::pair<Fd, Fd> make_pipe();

/// Everything from the current offset to the end of the file. @throws Error when it cannot be read or is larger than
/// `limit_bytes`.
[[nodiscard]] std::string read_all(int fd, std::uint64_t limit_bytes = std::uint64_t{1} << 32);

/// The whole file at `path` of the host. @throws Error
[[nodiscard]] std::string read_file(const std::string &path, std::uint64_t limit_bytes = std::uint64_t{1} << 32);

/// Writes all of `bytes`, however many calls it takes. `path` is what the error names; pipes and the like have none.
/// @throws Error of kind output with the cause: "cannot write '/etc/motd': no space left on device"
void write_all(int fd, std::string_view bytes, std::string_view path = {});

}  // namespace debroot::base
