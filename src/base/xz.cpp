#include "base/xz.hpp"

#include <fmt/format.h>
#include <lzma.h>

#include <algorithm>

#include "debroot/error.hpp"

namespace debroot::base {
namespace {

/// Owns the decoder's memory and threads.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder &) = delete;
  Decoder &operator=(const Decoder &) = delete;
  ~Decoder() { ::lzma_end(&stream); }

  lzma_stream stream = LZMA_STREAM_INIT;
};

std::string_view cause_of(lzma_ret result) noexcept {
  switch (result) {
    case LZMA_MEM_ERROR:
      return "out of memory";
    case LZMA_OPTIONS_ERROR:
      return "compressed in a way that is not known";
    case LZMA_BUF_ERROR:
      return "it ends early";
    default:
      return "damaged";
  }
}

[[noreturn]] void refuse(std::string_view subject, lzma_ret result) {
  throw Error(ErrorKind::index, fmt::format("cannot decompress '{}': {}", subject, cause_of(result)));
}

}  // namespace

bool is_xz(std::string_view bytes) noexcept {
  constexpr std::string_view kMagic(
      "\xFD"
      "7zXZ\0",
      6);
  return bytes.starts_with(kMagic);
}

std::string decompress_xz(std::string_view bytes, std::string_view subject, std::uint64_t limit_bytes) {
  // past this much memory the decoder goes on with one thread; it holds whole blocks
  constexpr std::uint64_t kThreadingBytes = std::uint64_t{256} << 20;
  constexpr std::size_t kChunk = std::size_t{1} << 22;
  Decoder decoder;
  lzma_mt options{};
  options.flags = LZMA_CONCATENATED;
  options.threads = std::max<std::uint32_t>(1, ::lzma_cputhreads());
  options.memlimit_threading = kThreadingBytes;
  options.memlimit_stop = UINT64_MAX;
  lzma_ret result = ::lzma_stream_decoder_mt(&decoder.stream, &options);
  if (result != LZMA_OK) refuse(subject, result);

  std::string out;
  out.reserve(bytes.size() * 6);
  decoder.stream.next_in = reinterpret_cast<const std::uint8_t *>(bytes.data());
  decoder.stream.avail_in = bytes.size();
  while (result != LZMA_STREAM_END) {
    std::size_t used = out.size();
    out.resize(used + kChunk);
    decoder.stream.next_out = reinterpret_cast<std::uint8_t *>(out.data() + used);
    decoder.stream.avail_out = kChunk;
    result = ::lzma_code(&decoder.stream, LZMA_FINISH);
    out.resize(out.size() - decoder.stream.avail_out);
    if (result != LZMA_OK && result != LZMA_STREAM_END) refuse(subject, result);
    if (out.size() > limit_bytes) {
      throw Error(ErrorKind::index, fmt::format("cannot decompress '{}': more than {} bytes", subject, limit_bytes));
    }
  }
  return out;
}

}  // namespace debroot::base
