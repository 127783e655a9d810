#include "pack/lzop_header.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace debroot::pack {
namespace {

std::string big(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

/// A header with that time. A filter adds a field, and the checksum is one of two.
std::string header(std::uint32_t flags, std::uint64_t time, const std::string &name) {
  std::string checked = big(0x1040, 2) + big(0x20a0, 2) + big(0x0940, 2) + "\1\5" + big(flags, 4);
  if ((flags & 0x800) != 0) checked += big(1, 4);
  checked += big(0100644, 4) + big(time, 8) + big(name.size(), 1) + name;
  const auto *bytes = reinterpret_cast<const Bytef *>(checked.data());
  auto size = static_cast<uInt>(checked.size());
  uLong sum = (flags & 0x1000) != 0 ? crc32(0, bytes, size) : adler32(1, bytes, size);
  return std::string("\x89LZO\0\r\n\x1a\n", 9) + checked + big(sum, 4);
}

TEST(LzopHeader, HasNoTimeAndAChecksumOfItsOwn) {
  for (std::uint32_t flags : {0x0300000dU, 0x0300080dU, 0x0300100dU, 0x0300180dU}) {
    for (const std::string name : {"", "image.tar"}) {
      std::string file = header(flags, 1'700'000'000, name) + "blocks";
      EXPECT_EQ(LzopHeader().pass(file), header(flags, 0, name) + "blocks") << flags;
      LzopHeader slow;
      std::string out;
      for (char c : file) out += slow.pass({&c, 1});
      EXPECT_EQ(out, header(flags, 0, name) + "blocks") << flags;
    }
  }
}

}  // namespace
}  // namespace debroot::pack
