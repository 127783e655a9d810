#include "diff/image.hpp"

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

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "diff/entries.hpp"
#include "diff/tar_image.hpp"

namespace debroot::diff {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;

EntryType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return EntryType::file;
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symbolic_link;
    case S_IFCHR:
      return EntryType::character_device;
    case S_IFBLK:
      return EntryType::block_device;
    case S_IFIFO:
      return EntryType::fifo;
    case S_IFSOCK:
      return EntryType::socket;
    default:
      return EntryType::unknown;
  }
}

class DirectoryReader {
 public:
  explicit DirectoryReader(const std::string &path) : buffer_(kReadBytes, '\0') { image_.name = path; }

  Image run(int top) {
    struct stat info {};
    if (::fstat(top, &info) != 0) throw unreadable(".");
    device_ = info.st_dev;
    Entry entry = entry_of(".", info);
    read_directory(top, std::move(entry), info);
    settle(image_);
    return std::move(image_);
  }

 private:
  static Entry entry_of(const std::string &path, const struct stat &info) {
    Entry entry;
    entry.path = path;
    entry.type = type_of(info.st_mode);
    entry.mode = info.st_mode & 07777;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime_seconds = info.st_mtim.tv_sec;
    entry.mtime_nanoseconds = info.st_mtim.tv_nsec;
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      entry.device_major = major(info.st_rdev);
      entry.device_minor = minor(info.st_rdev);
    }
    return entry;
  }

  void read_directory(int directory, Entry entry, const struct stat &info) {
    std::string path = entry.path;
    entry.attributes = base::image_attributes(directory, image_.name + "/" + path);
    image_.entries.push_back(std::move(entry));
    if (info.st_dev != device_) return;
    for (const std::string &name : base::list_directory(directory)) {
      read_child(directory, name, fmt::format("{}/{}", path, name));
    }
  }

  void read_child(int parent, const std::string &name, const std::string &path) {
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) throw unreadable(path);
    Entry entry = entry_of(path, info);
    if (entry.type != EntryType::directory && info.st_nlink > 1) {
      auto [first, is_new] = first_names_.try_emplace({info.st_dev, info.st_ino}, path);
      if (!is_new) {
        entry.type = EntryType::hard_link;
        entry.link_target = first->second;
        image_.entries.push_back(std::move(entry));
        return;
      }
    }
    if (entry.type == EntryType::directory || entry.type == EntryType::file) {
      // not blocking: should a FIFO have taken the file's place, this must not wait for its writer
      base::Fd fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!fd) throw unreadable(path);
      if (entry.type == EntryType::directory) return read_directory(fd.get(), std::move(entry), info);
      read_content(fd.get(), entry);
      entry.attributes = base::image_attributes(fd.get(), image_.name + "/" + path);
    } else {
      if (entry.type == EntryType::symbolic_link) entry.link_target = link_target(parent, name, path);
      entry.attributes = base::image_attributes_at(parent, name, image_.name + "/" + path);
    }
    image_.entries.push_back(std::move(entry));
  }

  void read_content(int file, Entry &entry) {
    ContentReader content(budget_);
    while (true) {
      ssize_t got = ::read(file, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw unreadable(entry.path);
      if (got == 0) break;
      content.update(std::string_view(buffer_).substr(0, static_cast<std::size_t>(got)));
    }
    content.finish(entry);
  }

  [[nodiscard]] std::string link_target(int parent, const std::string &name, const std::string &path) const {
    std::string target(PATH_MAX, '\0');
    ssize_t length = ::readlinkat(parent, name.c_str(), target.data(), target.size());
    if (length < 0) throw unreadable(path);
    target.resize(static_cast<std::size_t>(length));
    return target;
  }

  [[nodiscard]] Error unreadable(const std::string &path) const {
    return base::os_error(ErrorKind::usage, errno, fmt::format("cannot read '{}' in '{}'", path, image_.name));
  }

  Image image_;
  std::string buffer_;
  TextBudget budget_;
  dev_t device_ = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
};

}  // namespace

Image read_image(const std::string &path) {
  base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) {
    throw base::os_error(ErrorKind::usage, errno, fmt::format("cannot read '{}'", path));
  }
  if (S_ISDIR(info.st_mode)) return DirectoryReader(path).run(file.get());
  return read_tar_image(file, path);
}

}  // namespace debroot::diff
