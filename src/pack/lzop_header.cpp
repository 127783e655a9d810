#include "pack/lzop_header.hpp"

#include <zlib.h>

#include <cstdint>

namespace debroot::pack {
namespace {

// behind the magic, big-endian: version (2), of the library (2), needed to extract (2), method, level, flags (4), with
// kHasFilter the filter (4), mode (4), time (4) and its upper half (4), length of the name, the name, checksum (4)
constexpr std::size_t kMagicBytes = 9;
constexpr std::size_t kFlagsAt = kMagicBytes + 8;
constexpr std::uint32_t kHasFilter = 0x800;
constexpr std::uint32_t kHasCrc = 0x1000;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kChecksumBytes = 4;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string bytes_of(std::uint32_t number) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
  return out;
}

}  // namespace

std::string LzopHeader::pass(std::string_view bytes) {
  if (is_complete_) return std::string(bytes);
  held_ += bytes;
  if (held_.size() < kFlagsAt + 4) return {};
  std::uint32_t flags = number_at(held_, kFlagsAt);
  std::size_t time_at = kFlagsAt + 4 + ((flags & kHasFilter) != 0 ? 4 : 0) + 4;
  std::size_t length_at = time_at + kTimeBytes;
  if (held_.size() <= length_at) return {};
  std::size_t checksum_at = length_at + 1 + static_cast<unsigned char>(held_[length_at]);
  if (held_.size() < checksum_at + kChecksumBytes) return {};
  held_.replace(time_at, kTimeBytes, kTimeBytes, '\0');
  const auto *checked = reinterpret_cast<const Bytef *>(held_.data()) + kMagicBytes;
  auto size = static_cast<uInt>(checksum_at - kMagicBytes);
  uLong sum = (flags & kHasCrc) != 0 ? crc32(0, checked, size) : adler32(1, checked, size);
  held_.replace(checksum_at, kChecksumBytes, bytes_of(static_cast<std::uint32_t>(sum)));
  is_complete_ = true;
  return std::move(held_);
}

}  // namespace debroot::pack
