#include "pack/tar_stream.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {
namespace {

/// Contents are read straight into this buffer and written from it: one copy in, one out.
constexpr std::size_t kBufferBytes = 1 << 20;

std::string shown(const TarEntry &entry) { return fmt::format("'{}' in the root", entry.path.substr(1)); }

}  // namespace

TarStream::TarStream(std::span<const TarSink> outputs, std::int64_t epoch_seconds, unsigned threads,
                     std::function<bool()> is_cancelled)
    : epoch_seconds_(epoch_seconds), is_cancelled_(std::move(is_cancelled)), buffer_(kBufferBytes) {
  for (const TarSink &sink : outputs) encoders_.push_back(make_encoder(sink, threads, is_cancelled_));
}

void TarStream::add(const TarEntry &entry) { put(tar_header(entry, epoch_seconds_)); }

void TarStream::add_file(const TarEntry &entry, int fd) {
  add(entry);
  for (std::uint64_t left = entry.size_bytes; left > 0;) {
    if (used_ == buffer_.size()) flush();
    std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - used_, left));
    ssize_t got = ::read(fd, buffer_.data() + used_, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::os_error(ErrorKind::output, errno, fmt::format("cannot read {}", shown(entry)));
    if (got == 0) {
      throw Error(ErrorKind::output, fmt::format("cannot read {}: it ended {} bytes early", shown(entry), left));
    }
    used_ += static_cast<std::size_t>(got);
    tar_bytes_ += static_cast<std::uint64_t>(got);
    left -= static_cast<std::uint64_t>(got);
  }
  put_zeros((kTarBlockBytes - entry.size_bytes % kTarBlockBytes) % kTarBlockBytes);
}

void TarStream::finish() {
  put_zeros(2 * kTarBlockBytes);
  put_zeros((kTarRecordBytes - tar_bytes_ % kTarRecordBytes) % kTarRecordBytes);
  flush();
  for (const std::unique_ptr<Encoder> &encoder : encoders_) encoder->finish();
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
  for (const std::unique_ptr<Encoder> &encoder : encoders_) encoder->write({buffer_.data(), used_});
  used_ = 0;
}

}  // namespace debroot::pack
