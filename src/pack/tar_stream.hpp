/// The running tar of one walk: collects headers and contents in large blocks and hands these to every output.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/background_hasher.hpp"
#include "pack/encoder.hpp"
#include "pack/tar_header.hpp"

namespace debroot::pack {

/// Not thread-safe. All functions throw the Errors of Encoder::write.
class TarStream : public TreeSink {
 public:
  /// `epoch_seconds` is the time of pax headers; `is_cancelled` may be empty.
  TarStream(std::span<const ImageSink> outputs, std::int64_t epoch_seconds, unsigned threads,
            std::function<bool()> is_cancelled);

  void add(const TreeEntry &entry) override;
  void add_content(std::string_view bytes) override;
  /// The end marker, padding to a whole record, and the end of every compressed stream.
  void finish() override;

  /// SHA-256 of the tar itself, uncompressed; must be asked for before the first entry.
  void take_digest() { digest_.emplace(base::HashKind::sha256, buffer_.size()); }
  /// In hexadecimal, after `finish`.
  [[nodiscard]] const std::string &tar_digest() const noexcept { return tar_digest_; }
  /// Of the uncompressed tar, after `finish`.
  [[nodiscard]] std::uint64_t tar_bytes() const noexcept { return tar_bytes_; }
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
  std::uint64_t tar_bytes_ = 0;       ///< of the uncompressed tar so far
  std::uint64_t handmade_bytes_ = 0;  ///< before the part that counts as tar's, which is a multiple of a record
  std::uint64_t content_left_ = 0;    ///< of the file added last
  std::size_t content_padding_ = 0;   ///< zeros that follow it
  std::optional<base::BackgroundHasher> digest_;
  std::string tar_digest_;
};

}  // namespace debroot::pack
