#include "pack/tar_stream.hpp"

#include <algorithm>
#include <cstring>

#include "pack/fd_writer.hpp"

namespace debroot::pack {
namespace {

/// What compressors and pipes get at a time.
constexpr std::size_t kBufferBytes = 1 << 20;

}  // namespace

TarStream::TarStream(std::span<const ImageSink> outputs, std::int64_t epoch_seconds, unsigned threads,
                     std::function<bool()> is_cancelled)
    : epoch_seconds_(epoch_seconds), is_cancelled_(std::move(is_cancelled)), buffer_(kBufferBytes) {
  for (const ImageSink &sink : outputs) encoders_.push_back(make_encoder(sink, threads, is_cancelled_));
}

void TarStream::add(const TreeEntry &entry) {
  put(tar_header(entry, epoch_seconds_));
  if (entry.is_handmade) handmade_bytes_ = tar_bytes_;
  content_left_ = entry.size_bytes;
  content_padding_ = (kTarBlockBytes - entry.size_bytes % kTarBlockBytes) % kTarBlockBytes;
}

void TarStream::add_content(std::string_view bytes) {
  put(bytes);
  content_left_ -= bytes.size();
  if (content_left_ == 0) put_zeros(content_padding_);
}

void TarStream::finish() {
  put_zeros(2 * kTarBlockBytes);
  put_zeros((kTarRecordBytes - (tar_bytes_ - handmade_bytes_) % kTarRecordBytes) % kTarRecordBytes);
  flush();
  for (const std::unique_ptr<Encoder> &encoder : encoders_) encoder->finish();
  if (digest_) tar_digest_ = digest_->finish();
}

std::vector<std::uint64_t> TarStream::output_bytes() const {
  std::vector<std::uint64_t> bytes;
  for (const std::unique_ptr<Encoder> &encoder : encoders_) bytes.push_back(encoder->output_bytes());
  return bytes;
}

void TarStream::put(std::string_view bytes) {
  tar_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (used_ == buffer_.size()) flush();
    std::size_t size = std::min(buffer_.size() - used_, bytes.size());
    std::memcpy(buffer_.data() + used_, bytes.data(), size);
    used_ += size;
    bytes.remove_prefix(size);
  }
}

void TarStream::put_zeros(std::uint64_t count) { put(std::string(static_cast<std::size_t>(count), '\0')); }

void TarStream::flush() {
  if (is_cancelled_ && is_cancelled_()) throw_interrupted();
  std::string_view bytes(buffer_.data(), used_);
  for (const std::unique_ptr<Encoder> &encoder : encoders_) encoder->write(bytes);
  if (digest_) buffer_ = digest_->exchange(std::move(buffer_), used_);
  used_ = 0;
}

}  // namespace debroot::pack
