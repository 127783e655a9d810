/// Where the bytes of an image go: one file descriptor behind an optional compressor.
///
/// Compressed bytes depend on the input, the format, the level and the compression library's version alone. gzip, xz
/// and zstd therefore cut their input into blocks of a fixed size even when one thread is all there is (with several
/// threads liblzma cuts the input into blocks, so the single-threaded form differs), and gzip's header carries neither
/// name nor time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "pack/image_sink.hpp"

namespace debroot::pack {

/// gzip's and xz's level 6 and zstd's level 3: what the programs of these names do by default, and what is done where
/// the sink names no other. So do the other kinds, each at its library's default: bzip2 9, lzip and lzma 6, lz4 1.
inline constexpr int kGzipLevel = 6;
inline constexpr int kXzLevel = 6;
inline constexpr int kZstdLevel = 3;

/// Takes the bytes of a tar in order and writes them to a sink in its compression.
class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder &) = delete;
  Encoder &operator=(const Encoder &) = delete;
  virtual ~Encoder() = default;

  /// @throws Error of kind output when the sink cannot take the bytes ("cannot write 'a.tar': no space left on device",
  /// "cannot write the image: the reader went away"), of kind interrupted when `is_cancelled` says so
  virtual void write(std::string_view bytes) = 0;
  /// Writes what is still held and the end of the compressed stream; must be called once, last. The descriptor stays
  /// open. @throws Error as `write`
  virtual void finish() = 0;
  /// Bytes that reached the descriptor so far.
  [[nodiscard]] virtual std::uint64_t output_bytes() const noexcept = 0;
};

/// The encoder for `sink`. `threads` (at least 1) bounds the compressor's own threads and never changes the bytes.
/// `is_cancelled` (may be empty) is asked when a write is interrupted. @throws Error of kind internal when the library
/// refuses the settings
[[nodiscard]] std::unique_ptr<Encoder> make_encoder(const ImageSink &sink, unsigned threads,
                                                    std::function<bool()> is_cancelled = {});

}  // namespace debroot::pack
