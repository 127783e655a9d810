#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "base/xattr.hpp"
#include "customize/tar_copy.hpp"

namespace debroot::customize {
namespace {

struct WriterDeleter {
  void operator()(archive *writer) const noexcept { archive_write_free(writer); }
};
struct EntryDeleter {
  void operator()(archive_entry *entry) const noexcept { archive_entry_free(entry); }
};
using EntryPointer = std::unique_ptr<archive_entry, EntryDeleter>;

class TarWriter {
 public:
  TarWriter(std::string shown, const std::function<void(std::string_view)> &put)
      : shown_(std::move(shown)), put_(put), writer_(archive_write_new()) {
    archive *writer = writer_.get();
    archive_write_set_format_pax_restricted(writer);
    // GNU tar reads attributes by this name
    check(archive_write_set_options(writer, "xattrheader=SCHILY"));
    check(archive_write_open(writer, this, nullptr, &TarWriter::take_bytes, nullptr));
  }

  void add(int directory, const std::string &leaf, const std::string &path) {
    struct stat info {};
    if (::fstatat(directory, leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw failure("read", path);
    if (S_ISSOCK(info.st_mode)) return;
    EntryPointer entry = entry_of(directory, leaf, path, info);
    bool is_again = !S_ISDIR(info.st_mode) && info.st_nlink > 1 && !add_name(info, path, entry.get());
    if (S_ISREG(info.st_mode) && !is_again) {
      add_file(directory, leaf, path, entry.get());
    } else {
      check(archive_write_header(writer_.get(), entry.get()));
    }
    if (S_ISDIR(info.st_mode)) add_children(directory, leaf, path);
  }

  void finish() { check(archive_write_close(writer_.get())); }

 private:
  static la_ssize_t take_bytes(archive *writer, void *self_pointer, const void *bytes, std::size_t size) {
    auto *self = static_cast<TarWriter *>(self_pointer);
    try {
      self->put_({static_cast<const char *>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {  // not through the frames of a C library
      self->thrown_ = std::current_exception();
      archive_set_error(writer, EIO, "stopped");
      return -1;
    }
  }

  void check(int status) {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    const char *cause = archive_error_string(writer_.get());
    throw Error(ErrorKind::script, fmt::format("cannot make a tar of '{}': {}", shown_,
                                               base::without_capital(cause == nullptr ? "unknown error" : cause)));
  }

  [[nodiscard]] Error failure(std::string_view doing, const std::string &path) const {
    return base::os_error(ErrorKind::script, errno, fmt::format("cannot {} '{}' of '{}'", doing, path, shown_));
  }

  [[nodiscard]] EntryPointer entry_of(int directory, const std::string &leaf, const std::string &path,
                                      const struct stat &info) const {
    EntryPointer entry(archive_entry_new());
    std::string name = S_ISDIR(info.st_mode) ? path + "/" : path;
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_mode(entry.get(), info.st_mode);
    archive_entry_set_uid(entry.get(), info.st_uid);
    archive_entry_set_gid(entry.get(), info.st_gid);
    archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    archive_entry_set_size(entry.get(), S_ISREG(info.st_mode) ? info.st_size : 0);
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      archive_entry_set_rdevmajor(entry.get(), major(info.st_rdev));
      archive_entry_set_rdevminor(entry.get(), minor(info.st_rdev));
    }
    if (S_ISLNK(info.st_mode)) {
      std::string target(static_cast<std::size_t>(info.st_size) + 1, '\0');
      ssize_t length = ::readlinkat(directory, leaf.c_str(), target.data(), target.size());
      if (length < 0) throw failure("read", path);
      target.resize(static_cast<std::size_t>(length));
      archive_entry_set_symlink(entry.get(), target.c_str());
    }
    for (const base::ExtendedAttribute &one : base::image_attributes_at(directory, leaf, path)) {
      archive_entry_xattr_add_entry(entry.get(), one.name.c_str(), one.value.data(), one.value.size());
    }
    return entry;
  }

  /// False when the file is in the tar already under another name, to which the entry then refers.
  bool add_name(const struct stat &info, const std::string &path, archive_entry *entry) {
    auto [found, is_first] = names_.try_emplace({info.st_dev, info.st_ino}, path);
    if (is_first) return true;
    archive_entry_set_hardlink(entry, found->second.c_str());
    archive_entry_set_size(entry, 0);
    return false;
  }

  void add_file(int directory, const std::string &leaf, const std::string &path, archive_entry *entry) {
    base::Fd fd(::openat(directory, leaf.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw failure("open", path);
    check(archive_write_header(writer_.get(), entry));
    std::vector<char> buffer(std::size_t{256} * 1024);
    while (true) {
      ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw failure("read", path);
      if (got == 0) break;
      la_ssize_t put = archive_write_data(writer_.get(), buffer.data(), static_cast<std::size_t>(got));
      check(put < 0 ? static_cast<int>(put) : ARCHIVE_OK);
    }
    check(archive_write_finish_entry(writer_.get()));
  }

  void add_children(int directory, const std::string &leaf, const std::string &path) {
    base::Fd fd(::openat(directory, leaf.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) throw failure("open", path);
    for (const std::string &name : base::list_directory(fd.get()))
      add(fd.get(), name, fmt::format("{}/{}", path, name));
  }

  std::string shown_;
  const std::function<void(std::string_view)> &put_;
  std::unique_ptr<archive, WriterDeleter> writer_;
  std::exception_ptr thrown_;
  std::map<std::pair<dev_t, ino_t>, std::string> names_;  ///< of files with several
};

}  // namespace

void write_tar(int directory, const std::string &name, const std::string &shown,
               const std::function<void(std::string_view)> &put) {
  TarWriter writer(shown, put);
  writer.add(directory, name, name);
  writer.finish();
}

}  // namespace debroot::customize
