/// The running tar of one walk: collects headers and contents in large blocks and hands these to every output.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "pack/encoder.hpp"
#include "pack/tar_header.hpp"

namespace debroot::pack {

/// Not thread-safe. All functions throw the Errors of Encoder::write.
class TarStream {
 public:
  /// `epoch_seconds` is the time of pax headers; `is_cancelled` may be empty.
  TarStream(std::span<const TarSink> outputs, std::int64_t epoch_seconds, unsigned threads,
            std::function<bool()> is_cancelled);

  /// The header of a member without content.
  void add(const TarEntry &entry);
  /// A file (its path begins with "./") with `entry.size_bytes` bytes read from `fd` at its offset. @throws Error of
  /// kind output also when it cannot be read or ends early ("cannot read '/etc/x' in the root: it ended 3 bytes early")
  void add_file(const TarEntry &entry, int fd);
  /// The end marker, padding to a whole record, and the end of every compressed stream.
  void finish();

  /// Bytes written to each output so far, in their order.
  [[nodiscard]] std::vector<std::uint64_t> output_bytes() const;

 private:
  void put(std::string_view bytes);
  void put_zeros(std::uint64_t count);
  void flush();

  std::int64_t epoch_seconds_;
  std::vector<std::unique_ptr<Encoder>> encoders_;
  std::function<bool()> is_cancelled_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::uint64_t tar_bytes_ = 0;  ///< of the uncompressed tar so far
};

}  // namespace debroot::pack
