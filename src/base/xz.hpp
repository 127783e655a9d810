/// Decompression of xz on every processor: an index of Debian's comes in blocks that do not need each other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace debroot::base {

/// Whether `bytes` begin as an xz file does.
[[nodiscard]] bool is_xz(std::string_view bytes) noexcept;

/// As decompress() for an xz file, several streams behind one another included. @throws as that
[[nodiscard]] std::string decompress_xz(std::string_view bytes, std::string_view subject, std::uint64_t limit_bytes);

}  // namespace debroot::base
