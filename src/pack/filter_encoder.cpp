#include "pack/filter_encoder.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <exception>
#include <utility>

#include "debroot/error.hpp"

namespace debroot::pack {
namespace {

struct WriterDeleter {
  void operator()(archive *writer) const noexcept { archive_write_free(writer); }
};

struct EntryDeleter {
  void operator()(archive_entry *entry) const noexcept { archive_entry_free(entry); }
};

int add_filter(archive *writer, Compression compression) {
  switch (compression) {
    case Compression::bzip2:
      return archive_write_add_filter_bzip2(writer);
    case Compression::compress:
      return archive_write_add_filter_compress(writer);
    case Compression::lz4:
      return archive_write_add_filter_lz4(writer);
    case Compression::lzip:
      return archive_write_add_filter_lzip(writer);
    case Compression::lzma:
      return archive_write_add_filter_lzma(writer);
    default:
      return ARCHIVE_FATAL;
  }
}

/// A compressed stream is to libarchive an archive of the format "raw", whose one member is what is compressed.
class FilterEncoder : public Encoder {
 public:
  FilterEncoder(FdWriter out, Compression compression, const CompressionLevel &level)
      : out_(std::move(out)), writer_(archive_write_new()) {
    if (!writer_) throw refused("not enough memory");
    // a warning says that a program would be run
    if (add_filter(writer_.get(), compression) != ARCHIVE_OK) throw refused("this libarchive does not write it");
    if (level.value >= 0) {
      check(archive_write_set_filter_option(writer_.get(), nullptr, "compression-level",
                                            fmt::format("{}", level.value).c_str()));
    }
    check(archive_write_set_format_raw(writer_.get()));
    check(archive_write_set_bytes_in_last_block(writer_.get(), 1));
    check(archive_write_open(writer_.get(), this, nullptr, &FilterEncoder::take, nullptr));
    std::unique_ptr<archive_entry, EntryDeleter> entry(archive_entry_new());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    check(archive_write_header(writer_.get(), entry.get()));
  }
  ~FilterEncoder() override {
    // without this an unfinished stream would be closed, and so written to an output that failed
    if (!is_finished_) archive_write_fail(writer_.get());
  }

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      la_ssize_t put = archive_write_data(writer_.get(), bytes.data(), bytes.size());
      if (put <= 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
  }
  void finish() override {
    check(archive_write_close(writer_.get()));
    is_finished_ = true;
  }
  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  /// No exception may pass through libarchive: it is kept until the call returns.
  static la_ssize_t take(archive * /*writer*/, void *self, const void *bytes, std::size_t size) {
    auto *encoder = static_cast<FilterEncoder *>(self);
    try {
      encoder->out_.write({static_cast<const char *>(bytes), size});
    } catch (...) {
      encoder->failure_ = std::current_exception();
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  void check(int status) {
    if (status != ARCHIVE_OK) fail();
  }
  [[noreturn]] void fail() {
    if (failure_) std::rethrow_exception(failure_);
    const char *text = archive_error_string(writer_.get());
    throw refused(text == nullptr ? "libarchive fails" : text);
  }
  [[nodiscard]] Error refused(std::string_view cause) const {
    return {ErrorKind::internal, fmt::format("cannot compress {}: {}", out_.subject(), cause)};
  }

  FdWriter out_;
  std::exception_ptr failure_;
  bool is_finished_ = false;
  std::unique_ptr<archive, WriterDeleter> writer_;
};

}  // namespace

std::unique_ptr<Encoder> make_filter_encoder(FdWriter out, Compression compression, const CompressionLevel &level) {
  return std::make_unique<FilterEncoder>(std::move(out), compression, level);
}

}  // namespace debroot::pack
