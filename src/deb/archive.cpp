#include "deb/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::deb {
namespace {

struct ReaderDeleter {
  void operator()(archive *reader) const noexcept { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ReaderDeleter>;

[[noreturn]] void refuse(std::string_view subject, std::string_view cause) {
  throw Error(ErrorKind::package, fmt::format("cannot read package '{}': {}", subject, cause));
}

std::string error_of(archive *reader) {
  const char *text = archive_error_string(reader);
  return text == nullptr ? "damaged archive" : base::without_capital(text);
}

/// The outer ar archive, read with pread so that one descriptor serves several readers.
class OuterArchive {
 public:
  OuterArchive(const base::VerifiedFile &package, std::string_view subject)
      : fd_(package.fd().get()), subject_(subject), reader_(archive_read_new()) {
    archive_read_support_format_ar(reader_.get());
    if (archive_read_open(reader_.get(), this, nullptr, &OuterArchive::read_file, nullptr) != ARCHIVE_OK) {
      refuse(subject_, error_of(reader_.get()));
    }
    std::string first = next_member();
    if (first != "debian-binary") refuse(subject_, fmt::format("first member is '{}', not 'debian-binary'", first));
    check_format();
  }

  /// Moves to the member whose name begins with `prefix` ("control.tar"). Members before it whose names begin with an
  /// underscore are skipped, as deb(5) says.
  void seek(std::string_view prefix) {
    while (true) {
      std::string name = next_member();
      if (name.empty()) refuse(subject_, fmt::format("it has no member '{}'", prefix));
      if (name.substr(0, prefix.size()) == prefix) return;
      if (name[0] != '_' && name.substr(0, 11) != "control.tar") {
        refuse(subject_, fmt::format("unexpected member '{}' before '{}'", name, prefix));
      }
    }
  }

  /// libarchive callback: the next block of the member at hand.
  static la_ssize_t read_member(archive *inner, void *self_pointer, const void **block) {
    auto *self = static_cast<OuterArchive *>(self_pointer);
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = archive_read_data_block(self->reader_.get(), block, &size, &offset);
    if (status == ARCHIVE_EOF) return 0;
    if (status != ARCHIVE_OK) {
      archive_set_error(inner, EIO, "%s", archive_error_string(self->reader_.get()));
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

 private:
  static la_ssize_t read_file(archive *reader, void *self_pointer, const void **block) {
    auto *self = static_cast<OuterArchive *>(self_pointer);
    ssize_t got = ::pread(self->fd_, self->buffer_.data(), self->buffer_.size(), self->offset_);
    if (got < 0) {
      archive_set_error(reader, errno, "cannot read the file");
      return -1;
    }
    self->offset_ += got;
    *block = self->buffer_.data();
    return got;
  }

  std::string next_member() {
    archive_entry *entry = nullptr;
    int status = archive_read_next_header(reader_.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK) refuse(subject_, error_of(reader_.get()));
    const char *name = archive_entry_pathname(entry);
    return name == nullptr ? "?" : name;
  }

  void check_format() {
    std::array<char, 16> text{};
    la_ssize_t got = archive_read_data(reader_.get(), text.data(), text.size());
    std::string_view version(text.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    if (version.substr(0, 2) != "2.") {
      refuse(subject_, fmt::format("its format is '{}', only 2.x is known", base::trim(version)));
    }
  }

  int fd_;
  std::string subject_;
  off_t offset_ = 0;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{256} * 1024);
  Reader reader_;
};

/// A tar in any compression inside the outer archive.
Reader open_inner(OuterArchive &outer, std::string_view subject, std::string_view member) {
  Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open(reader.get(), &outer, nullptr, &OuterArchive::read_member, nullptr) != ARCHIVE_OK) {
    refuse(subject, fmt::format("{}: {}", member, error_of(reader.get())));
  }
  return reader;
}

/// "/usr/bin/x" of "./usr/bin/x". @throws Error when it would lead out of the root
std::string inside_path(std::string_view raw, std::string_view subject) {
  std::string out;
  for (std::string_view part : base::split(raw, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") refuse(subject, fmt::format("entry '{}' leads out of the root", raw));
    out += '/';
    out += part;
  }
  return out.empty() ? "/" : out;
}

EntryKind kind_of(archive_entry *entry, std::string_view path, std::string_view subject) {
  if (archive_entry_hardlink(entry) != nullptr) return EntryKind::hard_link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return EntryKind::file;
    case AE_IFDIR:
      return EntryKind::directory;
    case AE_IFLNK:
      return EntryKind::symlink;
    case AE_IFCHR:
      return EntryKind::character_device;
    case AE_IFBLK:
      return EntryKind::block_device;
    case AE_IFIFO:
      return EntryKind::fifo;
    default:
      refuse(subject, fmt::format("entry '{}' is of a kind that packages cannot hold", path));
  }
}

std::string text_or_empty(const char *text) { return text == nullptr ? "" : text; }

Entry to_entry(archive_entry *raw, std::string_view subject) {
  Entry entry;
  const char *path = archive_entry_pathname(raw);
  if (path == nullptr) refuse(subject, "an entry has no name");
  entry.path = inside_path(path, subject);
  entry.kind = kind_of(raw, entry.path, subject);
  entry.mode = archive_entry_perm(raw);
  entry.uid = static_cast<std::uint32_t>(archive_entry_uid(raw));
  entry.gid = static_cast<std::uint32_t>(archive_entry_gid(raw));
  entry.user = text_or_empty(archive_entry_uname(raw));
  entry.group = text_or_empty(archive_entry_gname(raw));
  entry.mtime = archive_entry_mtime(raw);
  entry.size_bytes = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(raw), 0));
  if (entry.kind == EntryKind::symlink) entry.link_target = text_or_empty(archive_entry_symlink(raw));
  if (entry.kind == EntryKind::hard_link) entry.link_target = inside_path(archive_entry_hardlink(raw), subject);
  if (entry.kind == EntryKind::character_device || entry.kind == EntryKind::block_device) {
    entry.device_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(raw));
    entry.device_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(raw));
  }
  return entry;
}

std::string read_small(archive *reader, std::uint64_t limit, std::string_view subject) {
  std::string out;
  while (true) {
    const void *block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = archive_read_data_block(reader, &block, &size, &offset);
    if (status == ARCHIVE_EOF) return out;
    if (status != ARCHIVE_OK) refuse(subject, fmt::format("control.tar: {}", error_of(reader)));
    if (out.size() + size > limit) refuse(subject, fmt::format("control.tar holds more than {} bytes", limit));
    out.append(static_cast<const char *>(block), size);
  }
}

}  // namespace

const ControlFile *ControlArchive::find(std::string_view name) const noexcept {
  auto found = std::find_if(files.begin(), files.end(), [&](const ControlFile &file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

ControlArchive read_control(const base::VerifiedFile &package, std::string_view subject) {
  OuterArchive outer(package, subject);
  outer.seek("control.tar");
  Reader reader = open_inner(outer, subject, "control.tar");
  ControlArchive control;
  archive_entry *raw = nullptr;
  std::uint64_t total = 0;
  while (true) {
    int status = archive_read_next_header(reader.get(), &raw);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) refuse(subject, fmt::format("control.tar: {}", error_of(reader.get())));
    Entry entry = to_entry(raw, subject);
    if (entry.kind == EntryKind::directory) continue;
    if (entry.kind != EntryKind::file) refuse(subject, fmt::format("control.tar: '{}' is no plain file", entry.path));
    ControlFile file{entry.path.substr(1), read_small(reader.get(), kMaxControlBytes - total, subject), entry.mode,
                     entry.mtime};
    total += file.content.size();
    if (file.name.find('/') != std::string::npos) refuse(subject, "control.tar holds a file in a directory");
    if (control.files.size() == kMaxControlFiles) refuse(subject, "control.tar holds too many files");
    std::erase_if(control.files, [&](const ControlFile &known) { return known.name == file.name; });  // as tar replaces
    control.files.push_back(std::move(file));
  }
  if (control.find("control") == nullptr) refuse(subject, "control.tar has no file 'control'");
  return control;
}

void read_data(const base::VerifiedFile &package, std::string_view subject,
               const std::function<void(Entry &&entry, const BodyReader &body)> &visit) {
  OuterArchive outer(package, subject);
  outer.seek("data.tar");
  Reader reader = open_inner(outer, subject, "data.tar");
  BodyReader body = [&]() -> std::string_view {
    const void *block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int status = archive_read_data_block(reader.get(), &block, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK) refuse(subject, fmt::format("data.tar: {}", error_of(reader.get())));
    return {static_cast<const char *>(block), size};
  };
  archive_entry *raw = nullptr;
  for (std::size_t count = 0;; ++count) {
    int status = archive_read_next_header(reader.get(), &raw);
    if (status == ARCHIVE_EOF) return;
    if (status < ARCHIVE_WARN) refuse(subject, fmt::format("data.tar: {}", error_of(reader.get())));
    if (count == kMaxEntries) refuse(subject, "data.tar holds too many entries");
    visit(to_entry(raw, subject), body);
  }
}

}  // namespace debroot::deb
