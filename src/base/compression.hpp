/// Decompression of whole texts (Packages, control files) whatever their compression.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace debroot::base {

/// `bytes` decompressed: gzip, xz, zstd, bzip2, lzma or none, told from their first bytes. `subject` names them in
/// errors. @throws Error of kind index when they are damaged or come to more than `limit_bytes`.
[[nodiscard]] std::string decompress(std::string_view bytes, std::string_view subject,
                                     std::uint64_t limit_bytes = std::uint64_t{1} << 32);

}  // namespace debroot::base
