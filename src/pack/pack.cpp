#include "pack/pack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <utility>

#include "base/xattr.hpp"
#include "pack/fd_writer.hpp"
#include "pack/tar_stream.hpp"

namespace debroot::pack {
namespace {

/// One of the entries that every image has below /dev, in the order they are written.
struct DeviceEntry {
  const char *path;
  TarType type;
  mode_t mode;
  const char *link_target;
  std::uint32_t major;
  std::uint32_t minor;
};

/// What mmdebstrap puts there: enough to enter the image with chroot; a booted machine mounts its own /dev over it.
constexpr std::array<DeviceEntry, 15> kDeviceEntries{{
    {"./dev/", TarType::directory, 0755, "", 0, 0},
    {"./dev/console", TarType::character_device, 0666, "", 5, 1},
    {"./dev/fd", TarType::symbolic_link, 0777, "/proc/self/fd", 0, 0},
    {"./dev/full", TarType::character_device, 0666, "", 1, 7},
    {"./dev/null", TarType::character_device, 0666, "", 1, 3},
    {"./dev/ptmx", TarType::character_device, 0666, "", 5, 2},
    {"./dev/pts/", TarType::directory, 0755, "", 0, 0},
    {"./dev/random", TarType::character_device, 0666, "", 1, 8},
    {"./dev/shm/", TarType::directory, 0755, "", 0, 0},
    {"./dev/stderr", TarType::symbolic_link, 0777, "/proc/self/fd/2", 0, 0},
    {"./dev/stdin", TarType::symbolic_link, 0777, "/proc/self/fd/0", 0, 0},
    {"./dev/stdout", TarType::symbolic_link, 0777, "/proc/self/fd/1", 0, 0},
    {"./dev/tty", TarType::character_device, 0666, "", 5, 0},
    {"./dev/urandom", TarType::character_device, 0666, "", 1, 9},
    {"./dev/zero", TarType::character_device, 0666, "", 1, 5},
}};

/// `path` as messages show it: "./etc/" is "/etc".
std::string shown(const std::string &path) {
  return path == "./" ? "/" : path.substr(1, path.size() - (path.back() == '/' ? 2 : 1));
}

Error cannot_read(int errno_value, const std::string &path) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot read '{}' in the root", shown(path)));
}

TarType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK:
      return TarType::symbolic_link;
    case S_IFCHR:
      return TarType::character_device;
    case S_IFBLK:
      return TarType::block_device;
    case S_IFIFO:
      return TarType::fifo;
    case S_IFDIR:
      return TarType::directory;
    default:
      return TarType::file;
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
  Walk(const base::RootDirectory &root, std::span<const TarSink> outputs, const PackOptions &options)
      : root_(root),
        options_(options),
        stream_(outputs, options.epoch_seconds, options.threads, options.is_cancelled) {}

  PackResult run() {
    if (options_.with_devices) add_devices();
    // a handle of its own: the root's may be an O_PATH one
    base::Fd top(::openat(root_.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat info {};
    if (!top || ::fstat(top.get(), &info) != 0) throw cannot_read(errno, "./");
    device_ = info.st_dev;
    add_directory(top.get(), "./", info);
    stream_.finish();
    result_.output_bytes = stream_.output_bytes();
    return std::move(result_);
  }

 private:
  void add_devices();
  void add_directory(int directory, const std::string &path, const struct stat &info);
  void add_child(int parent, const std::string &name, const std::string &path);
  void add_file(int parent, const std::string &name, const std::string &path, const struct stat &info);
  void add_special(int parent, const std::string &name, const std::string &path, const struct stat &info);
  bool add_as_hard_link(const std::string &path, const struct stat &info);
  [[nodiscard]] TarEntry entry_for(const std::string &path, const struct stat &info) const;
  [[nodiscard]] bool is_left_out(const std::string &path) const;
  void count(std::uint64_t content_bytes = 0);

  const base::RootDirectory &root_;
  const PackOptions &options_;
  TarStream stream_;
  PackResult result_;
  dev_t device_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;  ///< of files with several names
};

void Walk::add_devices() {
  for (const DeviceEntry &device : kDeviceEntries) {
    if (device.type == TarType::character_device && !options_.with_device_nodes) continue;
    TarEntry entry;
    entry.path = device.path;
    entry.type = device.type;
    entry.mode = device.mode;
    entry.mtime_seconds = options_.epoch_seconds;
    entry.link_target = device.link_target;
    entry.device_major = device.major;
    entry.device_minor = device.minor;
    stream_.add(entry);
    count();
  }
}

TarEntry Walk::entry_for(const std::string &path, const struct stat &info) const {
  TarEntry entry;
  entry.path = path;
  entry.type = type_of(info.st_mode);
  entry.mode = info.st_mode & 07777;
  entry.uid = options_.shows_root_as_owner ? 0 : info.st_uid;
  entry.gid = options_.shows_root_as_owner ? 0 : info.st_gid;
  // whole seconds: an image says the same whether the file system that staged it counts finer or not
  entry.mtime_seconds = std::min<std::int64_t>(info.st_mtim.tv_sec, options_.epoch_seconds);
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
  TarEntry entry = entry_for(path, info);
  entry.attributes = base::image_attributes(directory, shown(path));
  stream_.add(entry);
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
    result_.warnings.push_back(fmt::format("left out the socket '{}': a tar cannot hold it", shown(path)));
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
  TarEntry entry = entry_for(path, info);
  entry.type = TarType::hard_link;
  entry.link_target = first->second;
  stream_.add(entry);
  return true;
}

void Walk::add_file(int parent, const std::string &name, const std::string &path, const struct stat &info) {
  // nothing else works in the tree any more: what was a plain file a moment ago still is
  base::Fd file(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw cannot_read(errno, path);
  TarEntry entry = entry_for(path, info);
  entry.size_bytes = static_cast<std::uint64_t>(info.st_size);
  entry.attributes = base::image_attributes(file.get(), shown(path));
  stream_.add_file(entry, file.get());
  count(entry.size_bytes);
}

void Walk::add_special(int parent, const std::string &name, const std::string &path, const struct stat &info) {
  TarEntry entry = entry_for(path, info);
  if (S_ISLNK(info.st_mode)) entry.link_target = link_target(parent, name, path);
  if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
    entry.device_major = major(info.st_rdev);
    entry.device_minor = minor(info.st_rdev);
  }
  entry.attributes = base::image_attributes_at(parent, name, shown(path));
  stream_.add(entry);
  count();
}

}  // namespace

PackResult pack_tar(const base::RootDirectory &root, std::span<const TarSink> outputs, const PackOptions &options) {
  return Walk(root, outputs, options).run();
}

}  // namespace debroot::pack
