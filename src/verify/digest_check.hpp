/// Trust by digest: data whose SHA-256 and size stand in a file that was verified itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/trust.hpp"

namespace debroot::verify {

/// Accepts `bytes` when they are `size_bytes` long and have the digest `sha256` (64 hexadecimal digits of any case).
/// `subject` names them in messages ("bash_5.2.15-2+b7_amd64.deb"). Safe to call from several threads.
/// @throws Error of kind trust: "size of 'X' is wrong" or "digest of 'X' is wrong", with `expected` and `got`
[[nodiscard]] base::VerifiedBytes check_bytes(base::UntrustedBytes bytes, const std::string &sha256,
                                              std::uint64_t size_bytes, std::string_view subject);

/// As check_bytes for a whole file, read by pread: its offset stays. The size is compared before anything is read, so
/// an endless file costs nothing. The caller must hold the only way to write to the file (a cache entry is opened
/// read-only after it was renamed in, or is unnamed). @throws Error of kind trust as above, of kind output when the
/// file cannot be read
[[nodiscard]] base::VerifiedFile check_file(base::UntrustedFile file, const std::string &sha256,
                                            std::uint64_t size_bytes, std::string_view subject);

}  // namespace debroot::verify
