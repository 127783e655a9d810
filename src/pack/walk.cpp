#include "pack/walk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <map>
#include <utility>

#include "base/xattr.hpp"
#include "pack/devices.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {
namespace {

/// Contents are read into a buffer of this size, and from it every output is written.
constexpr std::size_t kBufferBytes = 1 << 20;

Error cannot_read(int errno_value, const std::string &path) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot read '{}' in the root", shown(path)));
}

EntryType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return EntryType::symbolic_link;
    case S_IFCHR:
      return EntryType::character_device;
    case S_IFBLK:
      return EntryType::block_device;
    case S_IFIFO:
      return EntryType::fifo;
    case S_IFDIR:
      return EntryType::directory;
    default:
      return EntryType::file;
  }
}

std::string link_target(int directory, const std::string &name, const std::string &path) {
  std::string target(PATH_MAX, '\0');
  ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) throw cannot_read(errno, path);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

class Walk {
 public:
  Walk(const base::RootDirectory &root, std::span<TreeSink *const> sinks, const PackOptions &options)
      : root_(root), sinks_(sinks), options_(options), buffer_(kBufferBytes) {}

  WalkResult run() {
    if (options_.with_devices) add_devices();
    // a handle of its own: the root's may be an O_PATH one
    base::Fd top(::openat(root_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat info {};
    if (!top || ::fstat(top.get(), &info) != 0) throw cannot_read(errno, "./");
    device_ = info.st_dev;
    add_directory(top.get(), "./", info);
    return std::move(result_);
  }

 private:
  void add_devices();
  void add_directory(int directory, const std::string &path, const struct stat &info);
  void add_child(int parent, const std::string &name, const std::string &path);
  void add_file(int parent, const std::string &name, const std::string &path, const struct stat &info);
  void add_special(int parent, const std::string &name, const std::string &path, const struct stat &info);
  bool add_as_hard_link(const std::string &path, const struct stat &info);
  [[nodiscard]] TreeEntry entry_for(const std::string &path, const struct stat &info) const;
  [[nodiscard]] bool is_left_out(const std::string &path) const;
  void add(const TreeEntry &entry);
  void add_content(std::string_view bytes);
  void count(std::uint64_t content_bytes = 0);

  const base::RootDirectory &root_;
  std::span<TreeSink *const> sinks_;
  const PackOptions &options_;
  std::vector<char> buffer_;
  WalkResult result_;
  dev_t device_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  ///< of files with several names
};

void Walk::add(const TreeEntry &entry) {
  for (TreeSink *sink : sinks_) sink->add(entry);
}

void Walk::add_content(std::string_view bytes) {
  if (options_.is_cancelled && options_.is_cancelled()) throw_interrupted();
  for (TreeSink *sink : sinks_) {
    if (sink->wants_content()) sink->add_content(bytes);
  }
}

void Walk::add_devices() {
  for (const TreeEntry &device : device_entries(options_.epoch_seconds)) {
    if (device.type == EntryType::character_device && !options_.with_device_nodes) continue;
    add(device);
    count();
  }
}

TreeEntry Walk::entry_for(const std::string &path, const struct stat &info) const {
  TreeEntry entry;
  entry.path = path;
  entry.type = type_of(info.st_mode);
  entry.mode = info.st_mode & 07777;
  entry.uid = options_.shows_root_as_owner ? 0 : info.st_uid;
  entry.gid = options_.shows_root_as_owner ? 0 : info.st_gid;
  // whole seconds: an image says the same whether the file system that staged it counts finer or not
  entry.mtime_seconds = std::min<std::int64_t>(info.st_mtim.tv_sec, options_.epoch_seconds);
  entry.file_seconds = info.st_mtim.tv_sec;
  entry.file_nanoseconds = static_cast<std::uint32_t>(info.st_mtim.tv_nsec);
  entry.inode = info.st_ino;
  return entry;
}

bool Walk::is_left_out(const std::string &path) const {
  return (options_.with_devices && path == "./dev") || path == "./lost+found";
}

void Walk::count(std::uint64_t content_bytes) {
  ++result_.count.entries;
  result_.count.content_bytes += content_bytes;
  if (options_.on_progress) options_.on_progress(result_.count);
}

void Walk::add_directory(int directory, const std::string &path, const struct stat &info) {
  TreeEntry entry = entry_for(path, info);
  entry.attributes = base::image_attributes(directory, shown(path));
  add(entry);
  count();
  if (info.st_dev != device_) return;  // mounted here: the directory belongs to the image, its content does not
  std::vector<std::string> names;
  try {
    names = base::list_directory(directory);
  } catch (Error &error) {
    throw std::move(error.frame(fmt::format("packing '{}'", shown(path))));
  }
  for (const std::string &name : names) {
    std::string child = path + name;
    if (!is_left_out(child)) add_child(directory, name, child);
  }
}

void Walk::add_child(int parent, const std::string &name, const std::string &path) {
  if (options_.is_cancelled && options_.is_cancelled()) throw_interrupted();
  struct stat info {};
  if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw cannot_read(errno, path);
  if (S_ISDIR(info.st_mode)) {
    base::Fd directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) throw cannot_read(errno, path);
    add_directory(directory.get(), path + "/", info);
  } else if (S_ISSOCK(info.st_mode)) {
    result_.warnings.push_back(fmt::format("left out the socket '{}': an image cannot hold it", shown(path)));
  } else if (info.st_nlink > 1 && add_as_hard_link(path, info)) {
    count();
  } else if (S_ISREG(info.st_mode)) {
    add_file(parent, name, path, info);
  } else {
    add_special(parent, name, path, info);
  }
}

bool Walk::add_as_hard_link(const std::string &path, const struct stat &info) {
  auto [first, is_new] = first_names_.try_emplace({info.st_dev, info.st_ino}, path);
  if (is_new) return false;
  TreeEntry entry = entry_for(path, info);
  entry.type = EntryType::hard_link;
  entry.link_target = first->second;
  add(entry);
  return true;
}

void Walk::add_file(int parent, const std::string &name, const std::string &path, const struct stat &info) {
  // nothing else works in the tree any more: what was a plain file a moment ago still is
  base::Fd file(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw cannot_read(errno, path);
  TreeEntry entry = entry_for(path, info);
  entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
  entry.attributes = base::image_attributes(file.get(), shown(path));
  add(entry);
  bool is_wanted = std::any_of(sinks_.begin(), sinks_.end(), [](TreeSink *sink) { return sink->wants_content(); });
  if (is_wanted) {
    read_content(entry, file.get(), buffer_, [this](std::string_view bytes) { add_content(bytes); });
  }
  if (options_.consumes_tree && info.st_nlink == 1 && info.st_dev == device_) {
    ::unlinkat(parent, name.c_str(), 0);  // what stays goes with the tree
  }
  count(entry.size_bytes);
}

void Walk::add_special(int parent, const std::string &name, const std::string &path, const struct stat &info) {
  TreeEntry entry = entry_for(path, info);
  if (S_ISLNK(info.st_mode)) entry.link_target = link_target(parent, name, path);
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    entry.device_major = major(info.st_rdev);
    entry.device_minor = minor(info.st_rdev);
  }
  entry.attributes = base::image_attributes_at(parent, name, shown(path));
  add(entry);
  count();
}

}  // namespace

std::string shown(const std::string &path) {
  return path == "./" ? "/" : path.substr(1, path.size() - (path.back() == '/' ? 2 : 1));
}

WalkResult walk_tree(const base::RootDirectory &root, std::span<TreeSink *const> sinks, const PackOptions &options) {
  return Walk(root, sinks, options).run();
}

void read_content(const TreeEntry &entry, int fd, std::span<char> buffer,
                  const std::function<void(std::string_view)> &take) {
  for (std::uint64_t left = entry.size_bytes; left > 0;) {
    ssize_t got = ::read(fd, buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw cannot_read(errno, entry.path);
    if (got == 0) {
      throw Error(ErrorKind::output,
                  fmt::format("cannot read '{}' in the root: it ended {} bytes early", shown(entry.path), left));
    }
    take({buffer.data(), static_cast<std::size_t>(got)});
    left -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace debroot::pack
