#include "pack/gzip_encoder.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <string_view>
#include <utility>

#include "base/worker_pool.hpp"
#include "debroot/error.hpp"

namespace debroot::pack {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kWindowBytes = std::size_t{32} * 1024;
/// zlib's window of 32 KiB without any header: a piece is a part of a stream.
constexpr int kRawWindow = -15;
constexpr int kMemoryLevel = 8;
/// No flags, no time, made on Unix.
constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);

/// A piece, compressed, and what the end of the stream has to know of it.
struct Piece {
  std::string bytes;
  std::uint32_t checksum = 0;
  std::size_t input_bytes = 0;
};

Error zlib_fails() { return {ErrorKind::internal, "zlib fails"}; }

/// @param dictionary the input before it, as far as a window reaches
Piece compress_piece(const std::string &input, const std::string &dictionary, bool is_last, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kRawWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw zlib_fails();
  }
  std::unique_ptr<z_stream, int (*)(z_stream *)> ending(&stream, deflateEnd);
  if (!dictionary.empty()) {
    deflateSetDictionary(&stream, reinterpret_cast<const Bytef *>(dictionary.data()),
                         static_cast<uInt>(dictionary.size()));
  }
  Piece piece;
  constexpr std::size_t kFlushBytes = 16;  // what a flush adds at most
  piece.bytes.resize(deflateBound(&stream, static_cast<uLong>(input.size())) + kFlushBytes);
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(input.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef *>(piece.bytes.data());
  stream.avail_out = static_cast<uInt>(piece.bytes.size());
  int status = deflate(&stream, is_last ? Z_FINISH : Z_SYNC_FLUSH);
  if (status != (is_last ? Z_STREAM_END : Z_OK) || stream.avail_in != 0) throw zlib_fails();
  piece.bytes.resize(piece.bytes.size() - stream.avail_out);
  piece.checksum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef *>(input.data()), static_cast<uInt>(input.size())));
  piece.input_bytes = input.size();
  return piece;
}

class GzipEncoder : public Encoder {
 public:
  GzipEncoder(FdWriter out, unsigned threads, int level)
      : out_(std::move(out)), level_(level), most_waiting_(std::size_t{threads} * 2), pool_(threads) {}

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      std::size_t size = std::min(kPieceBytes - input_.size(), bytes.size());
      input_ += bytes.substr(0, size);
      bytes.remove_prefix(size);
      if (input_.size() == kPieceBytes) submit(false);
    }
  }

  void finish() override {
    submit(true);
    while (!waiting_.empty()) take_one();
    if (out_.bytes() == 0) out_.write(kHeader);
    std::string trailer;
    for (std::uint32_t number : {checksum_, static_cast<std::uint32_t>(input_bytes_)}) {
      for (int shift = 0; shift < 32; shift += 8) trailer += static_cast<char>((number >> shift) & 0xff);
    }
    out_.write(trailer);
  }

  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  void submit(bool is_last) {
    std::string window = input_.substr(input_.size() - std::min(input_.size(), kWindowBytes));
    waiting_.push_back(
        pool_.submit([input = std::exchange(input_, {}), dictionary = std::exchange(window_, window), is_last,
                      level = level_] { return compress_piece(input, dictionary, is_last, level); }));
    input_.reserve(kPieceBytes);
    while (waiting_.size() > most_waiting_) take_one();
  }

  void take_one() {
    Piece piece = waiting_.front().get();
    waiting_.pop_front();
    if (out_.bytes() == 0) out_.write(kHeader);
    out_.write(piece.bytes);
    checksum_ =
        static_cast<std::uint32_t>(crc32_combine(checksum_, piece.checksum, static_cast<z_off_t>(piece.input_bytes)));
    input_bytes_ += piece.input_bytes;
  }

  FdWriter out_;
  int level_;
  std::size_t most_waiting_;
  std::string input_;   ///< of the piece that is not whole yet
  std::string window_;  ///< end of the piece before it
  std::uint32_t checksum_ = 0;
  std::uint64_t input_bytes_ = 0;
  base::WorkerPool pool_;
  std::deque<std::future<Piece>> waiting_;
};

}  // namespace

std::unique_ptr<Encoder> make_gzip_encoder(FdWriter out, unsigned threads, int level) {
  return std::make_unique<GzipEncoder>(std::move(out), threads, level);
}

}  // namespace debroot::pack
