/// Types that carry whether bytes were checked, so that skipping a check does not compile.
///
/// fetch/ hands out UntrustedBytes and UntrustedFile. Only verify/ can turn one into VerifiedBytes or VerifiedFile
/// (through `verify::Seal`, the one friend below). Parsers of archive data (index/, deb/) accept only the verified
/// types.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"

namespace debroot::verify {
class Seal;  // the only maker of verified values, defined in verify/seal.hpp
}

namespace debroot::base {

/// Bytes as the network or a cache gave them. Reading them is a deliberate act with a name that shows in review.
class UntrustedBytes {
 public:
  explicit UntrustedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::string_view unchecked() const noexcept { return bytes_; }
  [[nodiscard]] std::string take_unchecked() &&noexcept { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// A file as the network or a cache gave it.
class UntrustedFile {
 public:
  explicit UntrustedFile(Fd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] const Fd &unchecked() const noexcept { return fd_; }
  [[nodiscard]] Fd take_unchecked() &&noexcept { return std::move(fd_); }

 private:
  Fd fd_;
};

/// Bytes whose signature, or whose digest in a signed file, was checked.
class VerifiedBytes {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return bytes_; }
  [[nodiscard]] std::string take() &&noexcept { return std::move(bytes_); }

 private:
  friend class debroot::verify::Seal;
  explicit VerifiedBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// A file whose size and SHA-256 were checked against a verified index.
class VerifiedFile {
 public:
  [[nodiscard]] const Fd &fd() const noexcept { return fd_; }
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

 private:
  friend class debroot::verify::Seal;
  VerifiedFile(Fd fd, std::uint64_t size_bytes) : fd_(std::move(fd)), size_bytes_(size_bytes) {}
  Fd fd_;
  std::uint64_t size_bytes_;
};

}  // namespace debroot::base
