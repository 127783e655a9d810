#include "pack/devices.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace debroot::pack {
namespace {

struct Device {
  const char *path;
  EntryType type;
  mode_t mode;
  const char *link_target;
  std::uint32_t major;
  std::uint32_t minor;
};

constexpr std::array<Device, 15> kDevices{{
    {"./dev/", EntryType::directory, 0755, "", 0, 0},
    {"./dev/console", EntryType::character_device, 0666, "", 5, 1},
    {"./dev/fd", EntryType::symbolic_link, 0777, "/proc/self/fd", 0, 0},
    {"./dev/full", EntryType::character_device, 0666, "", 1, 7},
    {"./dev/null", EntryType::character_device, 0666, "", 1, 3},
    {"./dev/ptmx", EntryType::character_device, 0666, "", 5, 2},
    {"./dev/pts/", EntryType::directory, 0755, "", 0, 0},
    {"./dev/random", EntryType::character_device, 0666, "", 1, 8},
    {"./dev/shm/", EntryType::directory, 0755, "", 0, 0},
    {"./dev/stderr", EntryType::symbolic_link, 0777, "/proc/self/fd/2", 0, 0},
    {"./dev/stdin", EntryType::symbolic_link, 0777, "/proc/self/fd/0", 0, 0},
    {"./dev/stdout", EntryType::symbolic_link, 0777, "/proc/self/fd/1", 0, 0},
    {"./dev/tty", EntryType::character_device, 0666, "", 5, 0},
    {"./dev/urandom", EntryType::character_device, 0666, "", 1, 9},
    {"./dev/zero", EntryType::character_device, 0666, "", 1, 5},
}};

/// False when there is no right to make it.
bool make_node(int directory, const std::string &name, const TreeEntry &device) {
  dev_t number = makedev(device.device_major, device.device_minor);
  if (::mknodat(directory, name.c_str(), S_IFCHR | device.mode, number) != 0) {
    if (errno == EEXIST) return true;
    if (errno == EPERM) return false;
    throw base::os_error(ErrorKind::output, errno, fmt::format("cannot make '{}' in the root", shown(device.path)));
  }
  if (::fchmodat(directory, name.c_str(), device.mode, 0) != 0) {  // the umask took its share
    throw base::os_error(ErrorKind::output, errno, fmt::format("cannot make '{}' in the root", shown(device.path)));
  }
  return true;
}

}  // namespace

std::vector<TreeEntry> device_entries(std::int64_t mtime_seconds) {
  std::vector<TreeEntry> entries;
  for (const Device &device : kDevices) {
    TreeEntry entry;
    entry.path = device.path;
    entry.type = device.type;
    entry.mode = device.mode;
    entry.mtime_seconds = mtime_seconds;
    entry.link_target = device.link_target;
    entry.device_major = device.major;
    entry.device_minor = device.minor;
    entry.is_handmade = true;
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool may_make_nodes(const base::RootDirectory &root) {
  constexpr const char *kName = ".debroot-null";
  struct stat before {};
  bool has_time = ::fstat(root.fd(), &before) == 0;
  if (::mknodat(root.fd(), kName, S_IFCHR | 0600, makedev(1, 3)) != 0) return false;
  base::Fd node(::openat(root.fd(), kName, O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  ::unlinkat(root.fd(), kName, 0);
  timespec times[2] = {before.st_atim, before.st_mtim};
  if (has_time) ::futimens(root.fd(), times);
  return static_cast<bool>(node);
}

bool make_devices(const base::RootDirectory &root, bool with_nodes) {
  bool has_all = true;
  root.make_directories("/dev");
  base::Fd directory = root.open_file("/dev", O_RDONLY | O_DIRECTORY);
  struct stat before {};
  if (::fstat(directory.get(), &before) != 0) throw base::os_error(ErrorKind::output, errno, "cannot look at '/dev'");
  for (const TreeEntry &device : device_entries(0)) {
    std::string path = shown(device.path);
    if (device.type == EntryType::directory) {
      root.make_directories(path, device.mode);
    } else if (device.type == EntryType::symbolic_link) {
      if (!root.exists(path)) root.make_link(path, device.link_target);
    } else if (with_nodes) {
      has_all = make_node(directory.get(), path.substr(path.rfind('/') + 1), device) && has_all;
    }
  }
  // the package that ships /dev says how old it is
  timespec times[2] = {before.st_atim, before.st_mtim};
  if (::futimens(directory.get(), times) != 0) {
    throw base::os_error(ErrorKind::output, errno, "cannot set the time of '/dev' in the root");
  }
  return has_all;
}

void remove_devices(const base::RootDirectory &root) {
  std::optional<base::Fd> directory = root.try_open_file("/dev", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  struct stat before {};
  if (!directory || ::fstat(directory->get(), &before) != 0) return;
  for (const TreeEntry &device : device_entries(0)) {
    std::string path = shown(device.path);
    std::string name = path.substr(path.rfind('/') + 1);
    struct stat info {};
    if (path == "/dev" || ::fstatat(directory->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (device.type == EntryType::directory && S_ISDIR(info.st_mode)) {
      ::unlinkat(directory->get(), name.c_str(), AT_REMOVEDIR);  // one with something in it stays
    } else if (device.type == EntryType::symbolic_link ? S_ISLNK(info.st_mode) : S_ISCHR(info.st_mode)) {
      ::unlinkat(directory->get(), name.c_str(), 0);
    }
  }
  timespec times[2] = {before.st_atim, before.st_mtim};
  ::futimens(directory->get(), times);
}

}  // namespace debroot::pack
