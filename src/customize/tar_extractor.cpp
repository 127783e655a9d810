#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "base/xattr.hpp"
#include "customize/tar_copy.hpp"

namespace debroot::customize {
namespace {

struct ReaderDeleter {
  void operator()(archive *reader) const noexcept { archive_read_free(reader); }
};

/// Both processes that unpack have the umask 022.
constexpr mode_t kUnmasked = 0755;

std::string text_or_empty(const char *text) { return text != nullptr ? text : ""; }

/// What a member says of its file beside the content.
struct Properties {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime{};
  std::vector<base::ExtendedAttribute> attributes;
};

Properties properties_of(archive_entry *member) {
  Properties out{archive_entry_perm(member),
                 static_cast<uid_t>(archive_entry_uid(member)),
                 static_cast<gid_t>(archive_entry_gid(member)),
                 {archive_entry_mtime(member), archive_entry_mtime_nsec(member)},
                 {}};
  const char *name = nullptr;
  const void *value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(member);
  while (archive_entry_xattr_next(member, &name, &value, &size) == ARCHIVE_OK) {
    if (!base::is_image_attribute(name)) continue;
    out.attributes.push_back({name, std::string(static_cast<const char *>(value), size)});
  }
  return out;
}

/// The bytes of a tar, pulled from the caller.
class TarSource {
 public:
  explicit TarSource(const std::function<std::optional<std::string>()> &take)
      : take_(take), reader_(archive_read_new()) {
    archive *reader = reader_.get();
    // by name, not "all": that would run programs of the host for formats that libarchive does not know itself
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_filter_lzma(reader);
    archive_read_support_filter_lz4(reader);
    archive_read_support_filter_zstd(reader);
    archive_read_support_format_tar(reader);
    archive_read_support_format_empty(reader);
    check(archive_read_open(reader, this, nullptr, &TarSource::give_bytes, nullptr));
  }

  [[nodiscard]] archive *get() const noexcept { return reader_.get(); }

  /// The next member, null behind the last.
  archive_entry *next() {
    archive_entry *member = nullptr;
    int status = archive_read_next_header(reader_.get(), &member);
    if (status == ARCHIVE_EOF && !thrown_) return nullptr;
    check(status);
    return member;
  }

  void check(int status) {
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
    // a warning is about a name that the locale cannot say: its bytes are there all the same
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN || status == ARCHIVE_EOF) return;
    std::string cause = text_or_empty(archive_error_string(reader_.get()));
    throw Error(ErrorKind::script, fmt::format("cannot read the tar: {}", base::without_capital(cause)));
  }

 private:
  static la_ssize_t give_bytes(archive *reader, void *self_pointer, const void **bytes) {
    auto *self = static_cast<TarSource *>(self_pointer);
    try {
      std::optional<std::string> piece = self->take_();
      self->piece_ = piece ? std::move(*piece) : std::string();
      *bytes = self->piece_.data();
      return static_cast<la_ssize_t>(self->piece_.size());
    } catch (...) {  // not through the frames of a C library
      self->thrown_ = std::current_exception();
      archive_set_error(reader, EIO, "stopped");
      return -1;
    }
  }

  const std::function<std::optional<std::string>()> &take_;
  std::unique_ptr<archive, ReaderDeleter> reader_;
  std::string piece_;
  std::exception_ptr thrown_;
};

/// Path of a member below the directory, empty for the directory itself.
std::string member_path(const std::string &raw) {
  std::vector<std::string> kept;
  for (std::string_view part : base::split(raw, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      throw Error(ErrorKind::script, fmt::format("cannot unpack '{}': its name leads out of the directory", raw));
    }
    kept.emplace_back(part);
  }
  return base::join(kept, "/");
}

class Extractor {
 public:
  Extractor(const base::RootDirectory &root, std::string directory, const ExtractRules &rules, TarSource &source)
      : root_(root), base_(std::move(directory)), rules_(rules), source_(source) {}

  void run() {
    while (archive_entry *member = source_.next()) add(member);
    // a directory's time is right only once everything is in it, and its mode may forbid to put something there
    for (auto one = directories_.rbegin(); one != directories_.rend(); ++one) settle_directory(one->first, one->second);
  }

 private:
  [[nodiscard]] Error failure(std::string_view doing, const std::string &path) const {
    return base::os_error(ErrorKind::script, errno, fmt::format("cannot {} '{}'", doing, path));
  }

  void add(archive_entry *member) {
    std::string path = member_path(text_or_empty(archive_entry_pathname(member)));
    Properties properties = properties_of(member);
    auto kind = archive_entry_filetype(member);
    bool is_link = archive_entry_hardlink(member) != nullptr;
    if (kind == AE_IFDIR && !is_link) {
      if (!path.empty()) make_directory(path);
      directories_.emplace_back(base_ + "/" + path, std::move(properties));
      return;
    }
    bool is_node = !is_link && (kind == AE_IFCHR || kind == AE_IFBLK);
    if (path.empty() || (is_node && rules_.leaves_out_nodes)) return;
    std::string leaf;
    base::Fd parent = parent_of(path, leaf);
    clear_way(parent.get(), leaf, path);
    if (is_link) {
      make_hard_link(parent.get(), leaf, path, member_path(archive_entry_hardlink(member)));
    } else if (kind == AE_IFREG) {
      make_file(parent.get(), leaf, path, archive_entry_size(member), properties);
    } else {
      make_other(parent.get(), leaf, path, member);
      settle(parent.get(), leaf, path, properties, kind == AE_IFLNK);
    }
  }

  base::Fd parent_of(const std::string &path, std::string &leaf) const {
    std::string whole = base_ + "/" + path;
    std::string directory = whole.substr(0, whole.rfind('/'));
    if (!root_.status_followed(directory)) root_.make_directories(directory);
    std::optional<base::Fd> parent = root_.try_open_parent(whole, leaf);
    if (!parent) throw failure("unpack", path);
    return std::move(*parent);
  }

  /// Removes what is there, but for a directory with something in it.
  void clear_way(int parent, const std::string &leaf, const std::string &path) const {
    if (::unlinkat(parent, leaf.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno == EISDIR || errno == EPERM) {
      if (::unlinkat(parent, leaf.c_str(), AT_REMOVEDIR) == 0) return;
    }
    throw failure("replace", path);
  }

  void make_directory(const std::string &path) const {
    std::string leaf;
    base::Fd parent = parent_of(path, leaf);
    if (::mkdirat(parent.get(), leaf.c_str(), 0700) == 0) return;
    struct stat info {};
    bool is_there = errno == EEXIST && ::fstatat(parent.get(), leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_there) throw failure("make the directory", path);
    if (S_ISDIR(info.st_mode)) return;
    clear_way(parent.get(), leaf, path);
    if (::mkdirat(parent.get(), leaf.c_str(), 0700) != 0) throw failure("make the directory", path);
  }

  void make_hard_link(int parent, const std::string &leaf, const std::string &path, const std::string &target) const {
    std::string target_leaf;
    base::Fd target_parent = parent_of(target, target_leaf);
    if (::linkat(target_parent.get(), target_leaf.c_str(), parent, leaf.c_str(), 0) == 0) return;
    throw failure(fmt::format("link '{}' to", path), target);
  }

  void make_file(int parent, const std::string &leaf, const std::string &path, std::int64_t size,
                 const Properties &properties) const {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    base::Fd fd(::openat(parent, leaf.c_str(), kFlags, 0600));
    if (!fd) throw failure("make", path);
    const void *piece = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    int status = ARCHIVE_OK;
    while ((status = archive_read_data_block(source_.get(), &piece, &length, &offset)) == ARCHIVE_OK) {
      if (::lseek(fd.get(), offset, SEEK_SET) < 0) throw failure("write", path);
      base::write_all(fd.get(), {static_cast<const char *>(piece), length}, path);
    }
    source_.check(status);
    if (::ftruncate(fd.get(), size) != 0) throw failure("write", path);
    settle(parent, leaf, path, properties, false);
  }

  void make_other(int parent, const std::string &leaf, const std::string &path, archive_entry *member) const {
    int status = -1;
    errno = EINVAL;
    switch (archive_entry_filetype(member)) {
      case AE_IFLNK:
        status = ::symlinkat(archive_entry_symlink(member), parent, leaf.c_str());
        break;
      case AE_IFIFO:
        status = ::mkfifoat(parent, leaf.c_str(), 0600);
        break;
      case AE_IFCHR:
      case AE_IFBLK:
        status = ::mknodat(parent, leaf.c_str(), archive_entry_filetype(member) | 0600,
                           makedev(archive_entry_rdevmajor(member), archive_entry_rdevminor(member)));
        if (status != 0) throw failure("make the device", path).hint(rules_.nodes_hint);
        break;
      default:
        break;
    }
    if (status != 0) throw failure("make", path);
  }

  void settle(int parent, const std::string &leaf, const std::string &path, const Properties &properties,
              bool is_symlink) const {
    mode_t mode = rules_.keeps_owner ? properties.mode : properties.mode & kUnmasked;
    if (rules_.keeps_owner &&
        ::fchownat(parent, leaf.c_str(), properties.uid, properties.gid, AT_SYMLINK_NOFOLLOW) != 0) {
      throw failure("set the owner of", path);
    }
    if (!is_symlink) {
      // behind the owner, which takes set-user-id and capabilities away
      if (::fchmodat(parent, leaf.c_str(), mode, 0) != 0) throw failure("set the mode of", path);
      set_attributes(parent, leaf, path, properties);
    }
    timespec times[2] = {{0, UTIME_NOW}, properties.mtime};
    if (::utimensat(parent, leaf.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) throw failure("set the time of", path);
  }

  /// One that cannot be set is told and passed over, as tar does.
  void set_attributes(int parent, const std::string &leaf, const std::string &path,
                      const Properties &properties) const {
    std::string file = fmt::format("/proc/self/fd/{}/{}", parent, leaf);
    for (const base::ExtendedAttribute &one : properties.attributes) {
      if (::lsetxattr(file.c_str(), one.name.c_str(), one.value.data(), one.value.size(), 0) == 0) continue;
      if (rules_.on_warning) {
        rules_.on_warning(failure(fmt::format("set the attribute '{}' of", one.name), path).message());
      }
    }
  }

  void settle_directory(const std::string &path, const Properties &properties) const {
    std::string leaf;
    std::optional<base::Fd> parent = root_.try_open_parent(path, leaf);
    if (!parent) throw failure("set the mode of", path);
    // the directory at hand may be the root, which has no parent
    bool is_itself = leaf == "." || root_.link_target(path);
    base::Fd itself;
    if (is_itself) itself = root_.open_file(path, O_PATH | O_DIRECTORY);
    settle(is_itself ? itself.get() : parent->get(), is_itself ? "." : leaf, path, properties, false);
  }

  const base::RootDirectory &root_;
  std::string base_;
  const ExtractRules &rules_;
  TarSource &source_;
  std::vector<std::pair<std::string, Properties>> directories_;
};

}  // namespace

void extract_tar(const std::function<std::optional<std::string>()> &take, const base::RootDirectory &root,
                 const std::string &directory, const ExtractRules &rules) {
  TarSource source(take);
  Extractor(root, directory, rules, source).run();
}

}  // namespace debroot::customize
