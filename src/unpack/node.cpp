#include "unpack/node.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace debroot::unpack {
namespace {

constexpr std::string_view kTemporarySuffix = ".dpkg-new";

Error node_error(const StagedPackage &package, const deb::Entry &entry, std::string_view doing) {
  return base::os_error(ErrorKind::package, errno,
                        fmt::format("cannot {} '{}' of package '{}'", doing, entry.path, package.subject));
}

std::string parent_path(const std::string &path) {
  std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

/// Makes `name` (a fresh name) whatever the entry is.
void make_fresh(const base::RootDirectory &root, int directory, const std::string &name, const StagedPackage &package,
                const StagedEntry &staged, const std::string &link_target) {
  const deb::Entry &entry = staged.entry;
  int status = 0;
  switch (entry.kind) {
    case deb::EntryKind::file:
      status = ::renameat(package.bodies.fd(), staged.body.c_str(), directory, name.c_str());
      break;
    case deb::EntryKind::symlink:
      status = ::symlinkat(entry.link_target.c_str(), directory, name.c_str());
      break;
    case deb::EntryKind::hard_link: {
      std::string target_leaf;
      std::optional<base::Fd> parent = root.try_open_parent(link_target, target_leaf);
      errno = ENOENT;
      status = parent ? ::linkat(parent->get(), target_leaf.c_str(), directory, name.c_str(), 0) : -1;
      break;
    }
    case deb::EntryKind::fifo:
      status = ::mkfifoat(directory, name.c_str(), 0600);
      break;
    case deb::EntryKind::character_device:
    case deb::EntryKind::block_device: {
      mode_t kind = entry.kind == deb::EntryKind::character_device ? S_IFCHR : S_IFBLK;
      status = ::mknodat(directory, name.c_str(), kind | 0600, makedev(entry.device_major, entry.device_minor));
      break;
    }
    case deb::EntryKind::directory:
      errno = EISDIR;
      status = -1;
      break;
  }
  if (status != 0) throw node_error(package, entry, "create");
}

/// Owner, mode and time of a node other than a staged file that already has them.
void settle(int directory, const std::string &name, const StagedPackage &package, const deb::Entry &entry,
            const Ownership &ownership) {
  bool is_staged = entry.kind == deb::EntryKind::file;
  bool is_as_staged =
      is_staged && ownership.uid == entry.uid && ownership.gid == entry.gid && ownership.mode == entry.mode;
  if (is_as_staged) return;
  timespec times[2] = {{entry.mtime, 0}, {entry.mtime, 0}};
  bool is_done =
      base::is_owner_set(::fchownat(directory, name.c_str(), ownership.uid, ownership.gid, AT_SYMLINK_NOFOLLOW)) &&
      (entry.kind == deb::EntryKind::symlink || ::fchmodat(directory, name.c_str(), ownership.mode, 0) == 0) &&
      ::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0;
  if (!is_done) throw node_error(package, entry, "set owner and mode of");
}

}  // namespace

int ParentCache::parent_of(const std::string &path, std::string &leaf) {
  std::string directory = parent_path(path);
  leaf = path == "/" ? "." : path.substr(path.rfind('/') + 1);
  if (fd_ && directory == directory_) return fd_.get();
  std::optional<base::Fd> fd = root_->try_open_file(directory, O_PATH | O_DIRECTORY);
  if (!fd) {
    root_->make_directories(directory);
    fd = root_->open_file(directory, O_PATH | O_DIRECTORY);
  }
  fd_ = std::move(*fd);
  directory_ = std::move(directory);
  return fd_.get();
}

std::optional<struct stat> status_at(int directory, const std::string &leaf) {
  struct stat info {};
  if (::fstatat(directory, leaf.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return info;
  if (errno == ENOENT) return std::nullopt;
  throw base::os_error(ErrorKind::output, errno, fmt::format("cannot look at '{}'", leaf));
}

void create_node(const base::RootDirectory &root, int directory, const std::string &leaf, const StagedPackage &package,
                 const StagedEntry &staged, const Ownership &ownership, const std::string &link_target) {
  // a rename of a staged file replaces what is there by itself; every other kind needs a name of its own first
  bool is_direct = staged.entry.kind == deb::EntryKind::file || !status_at(directory, leaf);
  std::string name = is_direct ? leaf : leaf + std::string(kTemporarySuffix);
  make_fresh(root, directory, name, package, staged, link_target);
  settle(directory, name, package, staged.entry, ownership);
  if (is_direct) return;
  if (::renameat(directory, name.c_str(), directory, leaf.c_str()) != 0)
    throw node_error(package, staged.entry, "replace");
  // renaming one hard link of a file over another leaves both names
  ::unlinkat(directory, name.c_str(), 0);
}

void settle_directory(int directory, const std::string &leaf, const deb::Entry &entry, const Ownership &ownership) {
  timespec times[2] = {{entry.mtime, 0}, {entry.mtime, 0}};
  bool is_done = base::is_owner_set(::fchownat(directory, leaf.c_str(), ownership.uid, ownership.gid, 0)) &&
                 ::fchmodat(directory, leaf.c_str(), ownership.mode, 0) == 0 &&
                 ::utimensat(directory, leaf.c_str(), times, 0) == 0;
  if (!is_done) {
    throw base::os_error(ErrorKind::package, errno, fmt::format("cannot set owner and mode of '{}'", entry.path));
  }
}

Ownership ownership_of(const deb::Entry &entry, const std::optional<uid_t> &uid, const std::optional<gid_t> &gid) {
  return {uid.value_or(entry.uid), gid.value_or(entry.gid), entry.mode};
}

}  // namespace debroot::unpack
