#include "pack/tree_restore.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "base/worker_pool.hpp"
#include "base/xattr.hpp"

namespace debroot::pack {
namespace {

/// Files are given to a worker together until they are so many or so large.
constexpr std::size_t kBatchFiles = 64;
constexpr std::size_t kBatchBytes = std::size_t{1} << 20;

struct ReaderDeleter {
  void operator()(archive *reader) const noexcept { archive_read_free(reader); }
};

std::string text_of(const char *text) { return text == nullptr ? std::string() : std::string(text); }

Error cannot_restore(int errno_value, const std::string &path) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot restore '{}'", shown(path)));
}

/// What an entry says beside content and name.
struct Properties {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec time{};
  std::vector<base::ExtendedAttribute> attributes;
};

/// Whoever made the file is (mapped) root, and no directory hands its group on before all files are there.
bool is_owner_right(const Properties &properties) { return properties.uid == 0 && properties.gid == 0; }

void settle(int fd, const std::string &path, const Properties &properties) {
  if (!is_owner_right(properties) && ::fchown(fd, properties.uid, properties.gid) != 0)
    throw cannot_restore(errno, path);
  // behind the owner, which takes set-user-id and capabilities away
  if (::fchmod(fd, properties.mode) != 0) throw cannot_restore(errno, path);
  for (const base::ExtendedAttribute &one : properties.attributes) {
    if (::fsetxattr(fd, one.name.c_str(), one.value.data(), one.value.size(), 0) != 0)
      throw cannot_restore(errno, path);
  }
  timespec times[2] = {properties.time, properties.time};
  if (::futimens(fd, times) != 0) throw cannot_restore(errno, path);
}

/// A directory of the tree, open as long as something is put into it.
using Directory = std::shared_ptr<const base::Fd>;

struct FileTask {
  Directory parent;
  std::string path;  ///< "./etc/passwd"
  std::string_view content;
  Properties properties;
};

std::string leaf_of(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  return std::string(path.substr(path.rfind('/') + 1));
}

void make_file(const FileTask &task) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::Fd fd(::openat(task.parent->get(), leaf_of(task.path).c_str(), kFlags, 0600));
  if (!fd) throw cannot_restore(errno, task.path);
  base::write_all(fd.get(), task.content, shown(task.path));
  settle(fd.get(), task.path, task.properties);
}

class Restore {
 public:
  Restore(std::string_view tar, const base::RootDirectory &root, const RestoreOptions &options)
      : tar_(tar), root_(root), times_(options.times), reader_(archive_read_new()), pool_(options.threads) {
    archive_read_support_format_tar(reader_.get());
    check(archive_read_open_memory(reader_.get(), tar.data(), tar.size()));
  }

  PackCount run() {
    archive_entry *entry = nullptr;
    while (true) {
      int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      check(status);
      add(entry);
      ++count_.entries;
    }
    send_batch();
    for (std::future<void> &done : done_) done.get();
    for (const auto &[path, target] : hard_links_) make_hard_link(path, target);
    // a directory's time is right only once everything is in it, and its mode may forbid to put something there
    for (auto one = directories_.rbegin(); one != directories_.rend(); ++one) {
      settle(root_.open_file(one->first, O_RDONLY | O_DIRECTORY).get(), one->first, one->second);
    }
    return count_;
  }

 private:
  void check(int status) const {
    // a warning is about a name that the locale cannot say: its bytes are there all the same
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    std::string cause = text_of(archive_error_string(reader_.get()));
    throw Error(ErrorKind::output, fmt::format("cannot read a kept tree: {}", base::without_capital(cause)));
  }

  void add(archive_entry *entry) {
    std::string path = text_of(archive_entry_pathname(entry));
    if (!path.starts_with("./")) {
      throw Error(ErrorKind::output, fmt::format("cannot read a kept tree: '{}' is no name in it", path));
    }
    if (const char *target = archive_entry_hardlink(entry)) {
      hard_links_.emplace_back(std::move(path), target);
      return;
    }
    Properties properties = properties_of(entry);
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        if (path != "./") make_directory(path);
        directories_.emplace_back(std::move(path), std::move(properties));
        break;
      case AE_IFREG:
        add_file({parent_of(path), path, {}, std::move(properties)}, entry);
        break;
      default:
        make_other(path, entry, properties);
    }
  }

  Properties properties_of(archive_entry *entry) {
    Properties out{archive_entry_perm(entry),
                   static_cast<uid_t>(archive_entry_uid(entry)),
                   static_cast<gid_t>(archive_entry_gid(entry)),
                   {archive_entry_mtime(entry), 0},
                   {}};
    if (!times_.empty() && times_.front().entry == count_.entries) {
      out.time = {times_.front().seconds, static_cast<long>(times_.front().nanoseconds)};
      times_ = times_.subspan(1);
    }
    const char *name = nullptr;
    const void *value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      out.attributes.push_back({name, std::string(static_cast<const char *>(value), size)});
    }
    return out;
  }

  /// The directory that `path` is in. Entries come directory by directory, so that only those on the way to the
  /// current one are kept open.
  Directory parent_of(const std::string &path) {
    std::string_view directory = path;
    if (directory.ends_with('/')) directory.remove_suffix(1);
    directory = directory.substr(0, directory.rfind('/') + 1);
    while (!open_.empty() && !directory.starts_with(open_.back().first)) open_.pop_back();
    if (open_.empty() || open_.back().first != directory) {
      auto fd = std::make_shared<base::Fd>(root_.open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      open_.emplace_back(directory, std::move(fd));
    }
    return open_.back().second;
  }

  void make_directory(const std::string &path) {
    if (::mkdirat(parent_of(path)->get(), leaf_of(path).c_str(), 0700) != 0) throw cannot_restore(errno, path);
  }

  /// The content stays where it is, in the tar.
  void add_file(FileTask task, archive_entry *entry) {
    auto size = static_cast<std::size_t>(archive_entry_size(entry));
    if (size > 0) {
      const void *bytes = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      check(archive_read_data_block(reader_.get(), &bytes, &length, &offset));
      const char *begin = static_cast<const char *>(bytes);
      bool is_whole =
          offset == 0 && length == size && begin >= tar_.data() && begin + size <= tar_.data() + tar_.size();
      if (!is_whole) throw Error(ErrorKind::output, "cannot read a kept tree: a file is cut off");
      task.content = {begin, size};
    }
    count_.content_bytes += size;
    batch_bytes_ += size;
    batch_.push_back(std::move(task));
    if (batch_.size() >= kBatchFiles || batch_bytes_ >= kBatchBytes) send_batch();
  }

  void send_batch() {
    if (batch_.empty()) return;
    done_.push_back(pool_.submit([batch = std::exchange(batch_, {})] {
      for (const FileTask &task : batch) make_file(task);
    }));
    batch_bytes_ = 0;
  }

  void make_other(const std::string &path, archive_entry *entry, const Properties &properties) {
    int parent = parent_of(path)->get();
    std::string leaf = leaf_of(path);
    auto type = archive_entry_filetype(entry);
    bool is_link = type == AE_IFLNK;
    int status = is_link ? ::symlinkat(archive_entry_symlink(entry), parent, leaf.c_str())
                         : ::mknodat(parent, leaf.c_str(), type | 0600,
                                     makedev(archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry)));
    if (status != 0) throw cannot_restore(errno, path);
    if (!is_owner_right(properties) &&
        ::fchownat(parent, leaf.c_str(), properties.uid, properties.gid, AT_SYMLINK_NOFOLLOW) != 0) {
      throw cannot_restore(errno, path);
    }
    if (!is_link && ::fchmodat(parent, leaf.c_str(), properties.mode, 0) != 0) throw cannot_restore(errno, path);
    set_attributes(parent, leaf, path, properties);
    timespec times[2] = {properties.time, properties.time};
    if (::utimensat(parent, leaf.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) throw cannot_restore(errno, path);
  }

  /// Of what cannot be opened.
  static void set_attributes(int parent, const std::string &leaf, const std::string &path,
                             const Properties &properties) {
    std::string file = fmt::format("/proc/self/fd/{}/{}", parent, leaf);
    for (const base::ExtendedAttribute &one : properties.attributes) {
      if (::lsetxattr(file.c_str(), one.name.c_str(), one.value.data(), one.value.size(), 0) != 0) {
        throw cannot_restore(errno, path);
      }
    }
  }

  void make_hard_link(const std::string &path, const std::string &target) {
    Directory from = parent_of(target);
    if (::linkat(from->get(), leaf_of(target).c_str(), parent_of(path)->get(), leaf_of(path).c_str(), 0) != 0) {
      throw cannot_restore(errno, path);
    }
  }

  std::string_view tar_;
  const base::RootDirectory &root_;
  std::span<const ExactTime> times_;  ///< that are still to come
  std::unique_ptr<archive, ReaderDeleter> reader_;
  PackCount count_;
  std::vector<std::pair<std::string, Directory>> open_;  ///< from the root down
  std::vector<std::pair<std::string, Properties>> directories_;
  std::vector<std::pair<std::string, std::string>> hard_links_;
  std::vector<FileTask> batch_;
  std::size_t batch_bytes_ = 0;
  std::vector<std::future<void>> done_;
  base::WorkerPool pool_;  // last: its tasks end before what they use
};

}  // namespace

PackCount restore_tree(std::string_view tar, const base::RootDirectory &root, const RestoreOptions &options) {
  return Restore(tar, root, options).run();
}

}  // namespace debroot::pack
