#include "customize/hook_mounts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "debroot/plan.hpp"

namespace debroot::customize {
namespace {

/// The place a mount goes to, held open: no link of the root can lead it elsewhere.
std::string magic_path(const base::Fd &fd) { return fmt::format("/proc/self/fd/{}", fd.get()); }

void make_read_only(const base::Fd &directory, const std::string &path) {
  // through the path anew: what was opened before lies under the mount
  base::Fd mounted(::openat(directory.get(), path.c_str(), O_PATH | O_CLOEXEC));
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (mounted) ::mount_setattr(mounted.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof(change));
}

}  // namespace

HookMounts::HookMounts(const base::RootDirectory &root, const std::string &root_path, const HookMountOptions &options)
    : root_(root), root_path_(root_path) {
  if (is_skipped(options.skips, "chroot/mount")) return;
  for (const char *name : {"proc", "sys"}) {
    if (is_skipped(options.skips, fmt::format("chroot/mount/{}", name))) continue;
    std::string path = fmt::format("/{}", name);
    if (bind(path, path) && options.is_read_only) make_read_only(base::Fd(::open(root_path_.c_str(), O_PATH)), name);
  }
  if (!is_skipped(options.skips, "chroot/mount/dev")) mount_devices(options);
}

HookMounts::~HookMounts() {
  std::optional<struct stat> before = root_.status("/dev");
  std::string prefix = prefix_now();
  for (auto path = mounted_.rbegin(); path != mounted_.rend(); ++path) {
    ::umount2((prefix + *path).c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
  }
  try {
    for (const std::string &path : placed_) root_.remove_file(path);
    for (const std::string &path : placed_directories_) ::rmdir((prefix + path).c_str());
    if (placed_.empty() || !before) return;
    timespec times[2] = {before->st_atim, before->st_mtim};
    ::utimensat(root_.fd(), "dev", static_cast<const timespec *>(times), AT_SYMLINK_NOFOLLOW);
  } catch (const Error &) {
    // they are empty files where nothing would be
  }
}

std::string HookMounts::prefix_now() const {
  struct stat mine {};
  struct stat top {};
  bool is_top = ::fstat(root_.fd(), &mine) == 0 && ::stat("/", &top) == 0 && mine.st_dev == top.st_dev &&
                mine.st_ino == top.st_ino;
  return is_top ? std::string() : root_path_;
}

bool HookMounts::bind(const std::string &from, const std::string &path) {
  std::optional<base::Fd> target = root_.try_open_file(path, O_PATH | O_NOFOLLOW);
  if (!target) return false;
  if (::mount(from.c_str(), magic_path(*target).c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) return false;
  mounted_.push_back(path);
  return true;
}

bool HookMounts::mount_new(const std::string &path, const char *type, const char *data) {
  std::optional<base::Fd> target = root_.try_open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!target || ::mount(type, magic_path(*target).c_str(), type, MS_NOSUID | MS_NOEXEC, data) != 0) return false;
  mounted_.push_back(path);
  return true;
}

void HookMounts::place(const DevicePlace &device) {
  if (root_.exists(device.path)) return;
  if (device.kind == DevicePlace::Kind::directory) {
    root_.make_directories(device.path);
    placed_directories_.insert(placed_directories_.begin(), device.path);
    return;
  }
  bool is_link = device.kind == DevicePlace::Kind::link;
  is_link ? root_.make_link(device.path, device.link_target) : root_.write(device.path, "");
  placed_.push_back(device.path);
  if (is_link || bind(device.path, device.path)) return;
  root_.remove_file(device.path);
  placed_.pop_back();
}

void HookMounts::mount_devices(const HookMountOptions &options) {
  std::optional<struct stat> info = root_.status("/dev");
  if (!info || !S_ISDIR(info->st_mode)) return;
  for (const DevicePlace &device : options.devices) place(device);
  if (!options.devices.empty()) {
    timespec times[2] = {info->st_atim, info->st_mtim};
    ::utimensat(root_.fd(), "dev", static_cast<const timespec *>(times), AT_SYMLINK_NOFOLLOW);
  }
  constexpr const char *kOptions[] = {"newinstance,ptmxmode=0666,mode=0620,gid=5",
                                      "newinstance,ptmxmode=0666,mode=0620"};  // where there is no such group
  if (!mount_new("/dev/pts", "devpts", kOptions[0])) mount_new("/dev/pts", "devpts", kOptions[1]);
  bind("/dev/shm", "/dev/shm");
}

}  // namespace debroot::customize
