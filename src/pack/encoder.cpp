#include "pack/encoder.hpp"

#include <fmt/format.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

#include "debroot/error.hpp"
#include "pack/fd_writer.hpp"
#include "pack/filter_encoder.hpp"
#include "pack/gzip_encoder.hpp"
#include "pack/lzop_encoder.hpp"

namespace debroot::pack {
namespace {

constexpr std::size_t kOutputBytes = std::size_t{256} * 1024;
/// What one thread of xz compresses by itself, in dictionaries of its level: liblzma's own choice, fixed here so that a
/// later version cannot move it.
constexpr std::uint64_t kXzDictionaries = 3;
constexpr std::uint64_t kXzLeastBlockBytes = std::uint64_t{1} << 20;
constexpr unsigned kXzMostThreads = 64;
/// What one thread of zstd compresses by itself: four windows of level 3, libzstd's own choice, fixed for that reason
/// too.
constexpr int kZstdJobBytes = 8 << 20;
Error refused(const FdWriter &out, std::string_view cause) {
  return {ErrorKind::internal, fmt::format("cannot compress {}: {}", out.subject(), cause)};
}

class PlainEncoder : public Encoder {
 public:
  explicit PlainEncoder(FdWriter out) : out_(std::move(out)) {}
  void write(std::string_view bytes) override { out_.write(bytes); }
  void finish() override {}
  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  FdWriter out_;
};

class XzEncoder : public Encoder {
 public:
  XzEncoder(FdWriter out, unsigned threads, const CompressionLevel &level)
      : out_(std::move(out)), buffer_(kOutputBytes) {
    lzma_mt settings{};
    settings.preset = static_cast<std::uint32_t>(level.value < 0 ? kXzLevel : level.value);
    if (level.is_extreme) settings.preset |= LZMA_PRESET_EXTREME;
    lzma_options_lzma method{};
    if (lzma_lzma_preset(&method, settings.preset)) throw refused(out_, "liblzma has no such level");
    settings.block_size = std::max(method.dict_size * kXzDictionaries, kXzLeastBlockBytes);
    settings.check = LZMA_CHECK_CRC64;
    settings.threads = std::min(threads, kXzMostThreads);
    // a thread of level 6 takes about 150 MB: many of them must not take the machine's memory
    while (settings.threads > 1 && lzma_stream_encoder_mt_memusage(&settings) > lzma_physmem() / 4) --settings.threads;
    lzma_ret status = lzma_stream_encoder_mt(&stream_, &settings);
    if (status == LZMA_MEM_ERROR) throw refused(out_, "not enough memory for xz");
    if (status != LZMA_OK) throw refused(out_, "liblzma does not start");
  }
  ~XzEncoder() override { lzma_end(&stream_); }
  void write(std::string_view bytes) override { run(bytes, LZMA_RUN); }
  void finish() override { run({}, LZMA_FINISH); }
  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  void run(std::string_view bytes, lzma_action action) {
    stream_.next_in = reinterpret_cast<const std::uint8_t *>(bytes.data());
    stream_.avail_in = bytes.size();
    lzma_ret status = LZMA_OK;
    while (stream_.avail_in > 0 || (action == LZMA_FINISH && status != LZMA_STREAM_END)) {
      stream_.next_out = reinterpret_cast<std::uint8_t *>(buffer_.data());
      stream_.avail_out = buffer_.size();
      status = lzma_code(&stream_, action);
      if (status == LZMA_MEM_ERROR) throw refused(out_, "not enough memory for xz");
      if (status != LZMA_OK && status != LZMA_STREAM_END) throw refused(out_, "liblzma fails");
      out_.write({buffer_.data(), buffer_.size() - stream_.avail_out});
    }
  }

  FdWriter out_;
  std::vector<char> buffer_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class ZstdEncoder : public Encoder {
 public:
  ZstdEncoder(FdWriter out, unsigned threads, const CompressionLevel &level)
      : out_(std::move(out)), buffer_(kOutputBytes), context_(ZSTD_createCCtx()) {
    if (!context_) throw refused(out_, "not enough memory for zstd");
    set(ZSTD_c_compressionLevel, level.value < 0 ? kZstdLevel : level.value);
    set(ZSTD_c_checksumFlag, 1);
    int most = ZSTD_cParam_getBounds(ZSTD_c_nbWorkers).upperBound;
    if (most < 1) throw refused(out_, "this libzstd has no threads");
    set(ZSTD_c_nbWorkers, static_cast<int>(std::min(threads, static_cast<unsigned>(most))));
    // windows grow with the level, and jobs by libzstd's own choice with them
    if (level.value <= kZstdLevel) set(ZSTD_c_jobSize, kZstdJobBytes);
  }
  void write(std::string_view bytes) override { run(bytes, ZSTD_e_continue); }
  void finish() override { run({}, ZSTD_e_end); }
  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  struct ContextDeleter {
    void operator()(ZSTD_CCtx *context) const noexcept { ZSTD_freeCCtx(context); }
  };

  std::size_t checked(std::size_t result) const {
    if (ZSTD_isError(result)) throw refused(out_, ZSTD_getErrorName(result));
    return result;
  }
  void set(ZSTD_cParameter parameter, int value) { checked(ZSTD_CCtx_setParameter(context_.get(), parameter, value)); }
  void run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
      left = checked(ZSTD_compressStream2(context_.get(), &output, &input, directive));
      out_.write({buffer_.data(), output.pos});
    } while (input.pos < input.size || (directive == ZSTD_e_end && left > 0));
  }

  FdWriter out_;
  std::vector<char> buffer_;
  std::unique_ptr<ZSTD_CCtx, ContextDeleter> context_;
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(const ImageSink &sink, unsigned threads, std::function<bool()> is_cancelled) {
  FdWriter out(sink.fd, sink.name, std::move(is_cancelled));
  threads = std::max(threads, 1U);
  switch (sink.compression) {
    case Compression::none:
      return std::make_unique<PlainEncoder>(std::move(out));
    case Compression::gzip:
      return make_gzip_encoder(std::move(out), threads, sink.level.value < 1 ? kGzipLevel : sink.level.value);
    case Compression::xz:
      return std::make_unique<XzEncoder>(std::move(out), threads, sink.level);
    case Compression::zstd:
      return std::make_unique<ZstdEncoder>(std::move(out), threads, sink.level);
    case Compression::bzip2:
    case Compression::compress:
    case Compression::lz4:
    case Compression::lzip:
    case Compression::lzma:
      return make_filter_encoder(std::move(out), sink.compression, sink.level);
    case Compression::lzop:
      return make_lzop_encoder(std::move(out), sink.level);
  }
  throw Error(ErrorKind::internal, fmt::format("cannot compress {}: unknown compression", out.subject()));
}

}  // namespace debroot::pack
