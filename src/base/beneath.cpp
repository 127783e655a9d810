#include "base/beneath.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace debroot::base {
namespace {

/// `path` without leading "./" and slashes and without trailing slashes; "." for the root itself.
std::string relative(std::string_view path) {
  while (!path.empty() && (path[0] == '/' || path.substr(0, 2) == "./" || path == ".")) path.remove_prefix(1);
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path.empty() ? "." : std::string(path);
}

std::string shown(std::string_view path) {
  std::string inside = relative(path);
  return inside == "." ? "/" : "/" + inside;
}

Error path_error(int errno_value, std::string_view doing, std::string_view path) {
  return os_error(ErrorKind::output, errno_value, fmt::format("cannot {} '{}' in the root", doing, shown(path)));
}

int open_beneath(int directory, const std::string &path, int flags, mode_t mode) noexcept {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return static_cast<int>(fd);
}

void remove_below(int directory, const std::string &name, dev_t device);

void clear_below(int directory, dev_t device, const std::vector<std::string> &keep = {}) {
  for (const std::string &name : list_directory(directory)) {
    if (std::find(keep.begin(), keep.end(), name) == keep.end()) remove_below(directory, name, device);
  }
}

void remove_below(int directory, const std::string &name, dev_t device) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM && errno != EBUSY) {
    throw os_error(ErrorKind::output, errno, fmt::format("cannot remove '{}'", name));
  }
  Fd inner(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!inner || ::fstat(inner.get(), &info) != 0 || info.st_dev != device) {
    throw os_error(ErrorKind::output, inner ? EXDEV : errno, fmt::format("cannot remove '{}'", name));
  }
  clear_below(inner.get(), device);
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) {
    throw os_error(ErrorKind::output, errno, fmt::format("cannot remove '{}'", name));
  }
}

}  // namespace

RootDirectory RootDirectory::open(const std::string &path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw os_error(ErrorKind::output, errno, fmt::format("cannot open the directory '{}'", path));
  return RootDirectory(Fd(fd));
}

std::optional<Fd> RootDirectory::try_open_file(std::string_view path, int flags, mode_t mode) const {
  int fd = open_beneath(directory_.get(), relative(path), flags, mode);
  if (fd >= 0) return Fd(fd);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw path_error(errno, "open", path);
}

Fd RootDirectory::open_file(std::string_view path, int flags, mode_t mode) const {
  int fd = open_beneath(directory_.get(), relative(path), flags, mode);
  if (fd < 0) throw path_error(errno, "open", path);
  return Fd(fd);
}

std::optional<Fd> RootDirectory::try_open_parent(std::string_view path, std::string &leaf) const {
  std::string inside = relative(path);
  std::size_t slash = inside.rfind('/');
  leaf = slash == std::string::npos ? inside : inside.substr(slash + 1);
  std::string parent = slash == std::string::npos ? "." : inside.substr(0, slash);
  return try_open_file(parent, O_PATH | O_DIRECTORY);
}

std::optional<struct stat> RootDirectory::status(std::string_view path) const {
  std::optional<Fd> fd = try_open_file(path, O_PATH | O_NOFOLLOW);
  struct stat info {};
  if (!fd) return std::nullopt;
  if (::fstat(fd->get(), &info) != 0) throw path_error(errno, "look at", path);
  return info;
}

std::optional<struct stat> RootDirectory::status_followed(std::string_view path) const {
  std::optional<Fd> fd = try_open_file(path, O_PATH);
  struct stat info {};
  if (!fd) return std::nullopt;
  if (::fstat(fd->get(), &info) != 0) throw path_error(errno, "look at", path);
  return info;
}

std::optional<std::string> RootDirectory::link_target(std::string_view path) const {
  std::optional<Fd> fd = try_open_file(path, O_PATH | O_NOFOLLOW);
  if (!fd) return std::nullopt;
  std::string target(4096, '\0');
  ssize_t length = ::readlinkat(fd->get(), "", target.data(), target.size());
  if (length < 0) return std::nullopt;  // something other than a link
  target.resize(static_cast<std::size_t>(length));
  return target;
}

std::optional<std::string> RootDirectory::try_read(std::string_view path) const {
  std::optional<Fd> fd = try_open_file(path, O_RDONLY);
  if (!fd) return std::nullopt;
  return read_all(fd->get());
}

std::string RootDirectory::read(std::string_view path) const { return read_all(open_file(path, O_RDONLY).get()); }

void RootDirectory::write(std::string_view path, std::string_view content, mode_t mode) const {
  Fd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  write_all(fd.get(), content, path);
  if (::fchmod(fd.get(), mode) != 0) throw path_error(errno, "set the mode of", path);
}

void RootDirectory::replace(std::string_view path, std::string_view content, mode_t mode) const {
  std::string fresh = relative(path) + "-new";
  write(fresh, content, mode);
  rename(fresh, path);
}

void RootDirectory::append(std::string_view path, std::string_view content, mode_t mode) const {
  Fd fd = open_file(path, O_WRONLY | O_CREAT | O_APPEND, mode);
  write_all(fd.get(), content, path);
}

void RootDirectory::make_directories(std::string_view path, mode_t mode) const {
  std::string inside = relative(path);
  if (inside == ".") return;
  if (std::optional<struct stat> info = status_followed(inside)) {
    if (S_ISDIR(info->st_mode)) return;
    throw path_error(ENOTDIR, "make the directory", path);
  }
  std::size_t slash = inside.rfind('/');
  if (slash != std::string::npos) make_directories(inside.substr(0, slash), 0755);
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(inside, leaf);
  if (!parent || ::mkdirat(parent->get(), leaf.c_str(), mode) != 0) throw path_error(errno, "make the directory", path);
  if (::fchmodat(parent->get(), leaf.c_str(), mode, 0) != 0) throw path_error(errno, "set the mode of", path);
}

void RootDirectory::make_link(std::string_view path, const std::string &target) const {
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(path, leaf);
  if (!parent) throw path_error(ENOENT, "make the link", path);
  if (::symlinkat(target.c_str(), parent->get(), leaf.c_str()) != 0) throw path_error(errno, "make the link", path);
}

void RootDirectory::rename(std::string_view from, std::string_view to) const {
  std::string from_leaf;
  std::string to_leaf;
  std::optional<Fd> from_parent = try_open_parent(from, from_leaf);
  std::optional<Fd> to_parent = try_open_parent(to, to_leaf);
  if (!from_parent || !to_parent) throw path_error(ENOENT, "rename", from);
  if (::renameat(from_parent->get(), from_leaf.c_str(), to_parent->get(), to_leaf.c_str()) != 0) {
    throw path_error(errno, "rename", from);
  }
}

bool RootDirectory::remove_file(std::string_view path) const {
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(path, leaf);
  if (!parent) return false;
  if (::unlinkat(parent->get(), leaf.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  throw path_error(errno, "remove", path);
}

void RootDirectory::remove_tree(std::string_view path) const {
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(path, leaf);
  struct stat info {};
  if (!parent) return;
  if (::fstatat(parent->get(), leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    throw path_error(errno, "remove", path);
  }
  // an O_PATH handle cannot be listed, but it can be the base of a lookup
  try {
    remove_below(parent->get(), leaf, info.st_dev);
  } catch (Error &error) {
    throw std::move(error.frame(fmt::format("removing '{}' in the root", shown(path))));
  }
}

void RootDirectory::clear_directory(std::string_view path, const std::vector<std::string> &keep) const {
  std::optional<Fd> directory = try_open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  struct stat info {};
  if (!directory) return;
  if (::fstat(directory->get(), &info) != 0) throw path_error(errno, "look at", path);
  clear_below(directory->get(), info.st_dev, keep);
}

std::vector<std::string> RootDirectory::list(std::string_view path) const {
  std::optional<Fd> directory = try_open_file(path, O_RDONLY | O_DIRECTORY);
  if (!directory) return {};
  return list_directory(directory->get());
}

void RootDirectory::set_mode(std::string_view path, mode_t mode) const {
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(path, leaf);
  if (!parent || ::fchmodat(parent->get(), leaf.c_str(), mode, 0) != 0) {
    throw path_error(parent ? errno : ENOENT, "set the mode of", path);
  }
}

void RootDirectory::touch(std::string_view path) const {
  if (::futimens(open_file(path, O_RDONLY).get(), nullptr) != 0) throw path_error(errno, "set the time of", path);
}

void RootDirectory::set_owner(std::string_view path, uid_t uid, gid_t gid) const {
  std::string leaf;
  std::optional<Fd> parent = try_open_parent(path, leaf);
  if (!parent || !is_owner_set(::fchownat(parent->get(), leaf.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW))) {
    throw path_error(parent ? errno : ENOENT, "set the owner of", path);
  }
}

std::vector<std::string> list_directory(int directory) {
  // fdopendir takes the descriptor over and moves its offset: work on a handle of its own
  int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, int (*)(DIR *)> stream(copy < 0 ? nullptr : ::fdopendir(copy), ::closedir);
  if (!stream) throw os_error(ErrorKind::output, errno, "cannot list a directory");
  std::vector<std::string> names;
  while (dirent *entry = ::readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace debroot::base
