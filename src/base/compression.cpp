#include "base/compression.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <memory>

#include "base/text.hpp"
#include "base/xz.hpp"
#include "debroot/error.hpp"

namespace debroot::base {
namespace {

struct ReaderDeleter {
  void operator()(archive *reader) const noexcept { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ReaderDeleter>;

[[noreturn]] void refuse(archive *reader, std::string_view subject) {
  const char *text = archive_error_string(reader);
  std::string cause = text == nullptr ? "damaged" : without_capital(text);
  throw Error(ErrorKind::index, fmt::format("cannot decompress '{}': {}", subject, cause));
}

}  // namespace

std::string decompress(std::string_view bytes, std::string_view subject, std::uint64_t limit_bytes) {
  constexpr std::size_t kChunk = 1 << 20;
  std::string out;
  if (bytes.empty()) return out;
  if (is_xz(bytes)) return decompress_xz(bytes, subject, limit_bytes);
  Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_read_support_format_empty(reader.get());  // raw alone calls a compressed stream of nothing damaged
  archive_entry *entry = nullptr;
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) refuse(reader.get(), subject);
  int status = archive_read_next_header(reader.get(), &entry);
  if (status == ARCHIVE_EOF) return out;
  if (status != ARCHIVE_OK) refuse(reader.get(), subject);
  out.reserve(bytes.size() * 5);
  while (true) {
    std::size_t used = out.size();
    out.resize(used + kChunk);
    la_ssize_t got = archive_read_data(reader.get(), out.data() + used, kChunk);
    if (got < 0) refuse(reader.get(), subject);
    out.resize(used + static_cast<std::size_t>(got));
    if (out.size() > limit_bytes) {
      throw Error(ErrorKind::index, fmt::format("cannot decompress '{}': more than {} bytes", subject, limit_bytes));
    }
    if (got == 0) return out;
  }
}

}  // namespace debroot::base
