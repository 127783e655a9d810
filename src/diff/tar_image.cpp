#include "diff/tar_image.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "debroot/error.hpp"
#include "diff/entries.hpp"

namespace debroot::diff {
namespace {

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::int64_t kTarBlockBytes = 512;

struct ReaderDeleter {
  void operator()(archive *reader) const noexcept { archive_read_free(reader); }
};

EntryType type_of(archive_entry *member) {
  if (archive_entry_hardlink(member) != nullptr) return EntryType::hard_link;
  switch (archive_entry_filetype(member)) {
    case AE_IFREG:
      return EntryType::file;
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symbolic_link;
    case AE_IFCHR:
      return EntryType::character_device;
    case AE_IFBLK:
      return EntryType::block_device;
    case AE_IFIFO:
      return EntryType::fifo;
    case AE_IFSOCK:
      return EntryType::socket;
    default:
      return EntryType::unknown;
  }
}

std::string text_or_empty(const char *text) { return text != nullptr ? text : ""; }

/// ACLs that a tar carries as text records; those it carries as attributes are among these already.
void add_acl(archive_entry *member, Entry &entry) {
  constexpr int kPosix = ARCHIVE_ENTRY_ACL_TYPE_ACCESS | ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
  if (archive_entry_acl_count(member, kPosix) == 0) return;
  la_ssize_t length = 0;
  std::unique_ptr<char, decltype(&::free)> text(
      archive_entry_acl_to_text(member, &length, ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID | kPosix), ::free);
  if (text) entry.attributes.push_back({"acl", std::string(text.get(), static_cast<std::size_t>(length))});
}

void add_attributes(archive_entry *member, Entry &entry) {
  const char *name = nullptr;
  const void *value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(member);
  while (archive_entry_xattr_next(member, &name, &value, &size) == ARCHIVE_OK) {
    if (base::is_image_attribute(name)) {
      entry.attributes.push_back({name, std::string(static_cast<const char *>(value), size)});
    }
  }
  add_acl(member, entry);
  std::sort(entry.attributes.begin(), entry.attributes.end(),
            [](const base::ExtendedAttribute &a, const base::ExtendedAttribute &b) { return a.name < b.name; });
}

Entry entry_of(archive_entry *member) {
  Entry entry;
  entry.path = plain_path(text_or_empty(archive_entry_pathname(member)));
  entry.type = type_of(member);
  entry.mode = archive_entry_perm(member);
  entry.uid = archive_entry_uid(member);
  entry.gid = archive_entry_gid(member);
  entry.mtime_seconds = archive_entry_mtime(member);
  entry.mtime_nanoseconds = archive_entry_mtime_nsec(member);
  if (entry.type == EntryType::hard_link) entry.link_target = text_or_empty(archive_entry_hardlink(member));
  if (entry.type == EntryType::symbolic_link) entry.link_target = text_or_empty(archive_entry_symlink(member));
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    entry.device_major = archive_entry_rdevmajor(member);
    entry.device_minor = archive_entry_rdevminor(member);
  }
  add_attributes(member, entry);
  return entry;
}

class TarReader {
 public:
  TarReader(const base::Fd &file, const std::string &path) : reader_(archive_read_new()) {
    image_.name = path;
    image_.has_order = true;
    archive *reader = reader_.get();
    // by name, not "all": that would run programs of the host for formats that libarchive does not know itself
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_compress(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_lzma(reader);
    archive_read_support_filter_lzip(reader);
    archive_read_support_filter_lz4(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_support_format_tar(reader);
    if (archive_read_open_fd(reader, file.get(), kReadBytes) != ARCHIVE_OK) throw damaged();
  }

  Image run() {
    archive_entry *member = nullptr;
    while (next(&member)) {
      Entry entry = entry_of(member);
      if (entry.type == EntryType::file) read_content(member, entry);
      image_.entries.push_back(std::move(entry));
    }
    settle(image_);
    return std::move(image_);
  }

 private:
  bool next(archive_entry **member) {
    std::int64_t end = archive_filter_bytes(reader_.get(), 0);
    int status = archive_read_next_header(reader_.get(), member);
    // a warning is about a name that the locale cannot say: its bytes are there all the same
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return true;
    if (status != ARCHIVE_EOF) throw damaged();
    if (image_.entries.empty()) throw no_image();
    // libarchive takes the end of the file for the end of the tar; a whole tar has its end marker
    std::int64_t padded = (end + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
    if (archive_filter_bytes(reader_.get(), 0) < padded + kTarBlockBytes) throw ended(padded);
    return false;
  }

  void read_content(archive_entry *member, Entry &entry) {
    ContentReader content(budget_);
    const void *piece = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    std::int64_t done = 0;
    int status = ARCHIVE_OK;
    while ((status = archive_read_data_block(reader_.get(), &piece, &size, &offset)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
      fill(content, offset - done);
      content.update({static_cast<const char *>(piece), size});
      done = offset + static_cast<std::int64_t>(size);
    }
    if (status != ARCHIVE_EOF) {
      throw damaged().detail("got", fmt::format("the beginning of '{}'", entry.path));
    }
    fill(content, archive_entry_size(member) - done);
    content.finish(entry);
  }

  /// A hole of a sparse file.
  static void fill(ContentReader &content, std::int64_t count) {
    static const std::string zeros(std::size_t{64} * 1024, '\0');
    for (; count > 0; count -= static_cast<std::int64_t>(zeros.size())) {
      content.update(std::string_view(zeros).substr(0, static_cast<std::size_t>(count)));
    }
  }

  [[nodiscard]] Error no_image() const {
    return {ErrorKind::usage, fmt::format("cannot read '{}': neither a tar nor a directory", image_.name)};
  }

  [[nodiscard]] Error ended(std::int64_t bytes) const {
    Error error(ErrorKind::usage, fmt::format("cannot read '{}': the tar ends without its end marker after {} bytes",
                                              image_.name, bytes));
    return error.detail("got", fmt::format("'{}' as the last entry", image_.entries.back().path));
  }

  [[nodiscard]] Error damaged() const {
    // EILSEQ is libarchive's number for "not a format I know" (its name for it is private)
    bool is_format_unknown = archive_format(reader_.get()) == 0 && archive_errno(reader_.get()) == EILSEQ;
    if (image_.entries.empty() && is_format_unknown) return no_image();
    std::string cause = text_or_empty(archive_error_string(reader_.get()));
    if (cause.size() > 1 && cause[0] >= 'A' && cause[0] <= 'Z' && cause[1] >= 'a') {
      cause[0] = static_cast<char>(cause[0] - 'A' + 'a');
    }
    std::int64_t place = archive_filter_bytes(reader_.get(), -1);
    std::string beyond = place > 0 ? fmt::format(" beyond byte {}", place) : "";
    return {ErrorKind::usage, fmt::format("cannot read '{}'{}: {}", image_.name, beyond, cause)};
  }

  std::unique_ptr<archive, ReaderDeleter> reader_;
  Image image_;
  TextBudget budget_;
};

}  // namespace

Image read_tar_image(const base::Fd &file, const std::string &path) { return TarReader(file, path).run(); }

}  // namespace debroot::diff
