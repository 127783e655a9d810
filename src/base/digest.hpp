/// Hashes, computed in one go or while bytes stream by.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace debroot::base {

/// Trust rests on SHA-256 alone; MD5 exists because dpkg's database records it and SHA-1 because UUIDs are made with
/// it, neither ever to decide anything.
enum class HashKind { sha256, sha1, md5 };

/// A running hash. Move-only; `finish` may be called once.
class Hasher {
 public:
  explicit Hasher(HashKind kind);
  Hasher(Hasher &&) noexcept;
  Hasher &operator=(Hasher &&) noexcept;
  ~Hasher();

  void update(std::string_view bytes);
  /// The digest as lower-case hexadecimal.
  [[nodiscard]] std::string finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Hexadecimal digest of `bytes`.
[[nodiscard]] std::string hash_of(HashKind kind, std::string_view bytes);

/// Hexadecimal digest of the whole file behind `fd`, read with pread from offset 0; the file offset does not move.
/// `size` receives the number of bytes when not null. @throws Error
[[nodiscard]] std::string hash_of_file(HashKind kind, int fd, std::uint64_t *size = nullptr);

}  // namespace debroot::base
