/// What the tests of pack/ share: a tree in a scratch directory, and the members of a tar as lines.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace debroot::pack {

inline constexpr std::int64_t kEpoch = 1'600'000'000;

/// A directory that goes with the object. Everything made in it has the time kEpoch unless told otherwise.
class ScratchTree {
 public:
  ScratchTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "debroot-pack-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    ::chmod(path_.c_str(), 0755);
    set_time("", kEpoch);
  }
  ScratchTree(const ScratchTree &) = delete;
  ScratchTree &operator=(const ScratchTree &) = delete;
  ~ScratchTree() {
    for (const std::string &name : directories_) ::chmod(at(name).c_str(), 0700);  // or they could not be emptied
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] std::string at(const std::string &name) const { return path_ + "/" + name; }

  void file(const std::string &name, std::string_view content, mode_t mode = 0644) const {
    std::ofstream(at(name), std::ios::binary) << content;
    ::chmod(at(name).c_str(), mode);
    set_time(name, kEpoch);
    set_time(parent(name), kEpoch);
  }
  void directory(const std::string &name, mode_t mode = 0755) {
    directories_.push_back(name);
    ASSERT_EQ(::mkdir(at(name).c_str(), 0700), 0);
    ::chmod(at(name).c_str(), mode);
    set_time(name, kEpoch);
    set_time(parent(name), kEpoch);
  }
  void link(const std::string &name, const std::string &target) const {
    ASSERT_EQ(::symlink(target.c_str(), at(name).c_str()), 0);
    set_time(name, kEpoch);
    set_time(parent(name), kEpoch);
  }
  void hard_link(const std::string &name, const std::string &other) const {
    ASSERT_EQ(::linkat(AT_FDCWD, at(other).c_str(), AT_FDCWD, at(name).c_str(), 0), 0);
    set_time(parent(name), kEpoch);
  }
  void set_time(const std::string &name, std::int64_t seconds, long nanoseconds = 0) const {
    timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  [[nodiscard]] struct stat status(const std::string &name) const {
    struct stat info {};
    EXPECT_EQ(::lstat(at(name).c_str(), &info), 0) << name;
    return info;
  }
  [[nodiscard]] std::string content(const std::string &name) const { return base::read_file(at(name)); }
  /// Names in the scratch directory itself.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto &entry : std::filesystem::directory_iterator(path_)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  static std::string parent(const std::string &name) {
    std::size_t slash = name.rfind('/');
    return slash == std::string::npos ? "" : name.substr(0, slash);
  }
  std::string path_;
  std::vector<std::string> directories_;
};

/// One member of a tar as libarchive reads it.
struct Member {
  std::string path;
  std::string line;  ///< "d 0755 0/0 0 1600000000 ./etc/", links with " -> target" or " = target"
  std::string content;
  std::vector<std::string> attributes;  ///< "name=value"
};

inline std::string line_of(archive_entry *entry) {
  const char *hard_link = archive_entry_hardlink(entry);
  char type = '?';
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      type = '-';
      break;
    case AE_IFDIR:
      type = 'd';
      break;
    case AE_IFLNK:
      type = 'l';
      break;
    case AE_IFCHR:
      type = 'c';
      break;
    case AE_IFBLK:
      type = 'b';
      break;
    case AE_IFIFO:
      type = 'p';
      break;
    default:
      break;
  }
  if (hard_link != nullptr) type = 'h';
  std::string line = fmt::format("{} {:04o} {}/{} {} {} {}", type, archive_entry_perm(entry), archive_entry_uid(entry),
                                 archive_entry_gid(entry), archive_entry_size(entry), archive_entry_mtime(entry),
                                 archive_entry_pathname(entry));
  if (type == 'c' || type == 'b') {
    line += fmt::format(" {}:{}", archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry));
  }
  if (hard_link != nullptr) line += fmt::format(" = {}", hard_link);
  if (type == 'l') line += fmt::format(" -> {}", archive_entry_symlink(entry));
  return line;
}

/// The members of the (possibly compressed) tar in `bytes`.
inline std::vector<Member> members_of(const std::string &bytes) {
  std::vector<Member> members;
  archive *reader = archive_read_new();
  archive_read_support_filter_all(reader);
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry *entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(reader, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
    Member member{archive_entry_pathname(entry),
                  line_of(entry),
                  std::string(static_cast<std::size_t>(archive_entry_size(entry)), '\0'),
                  {}};
    EXPECT_EQ(archive_read_data(reader, member.content.data(), member.content.size()),
              static_cast<la_ssize_t>(member.content.size()));
    const char *name = nullptr;
    const void *value = nullptr;
    std::size_t size = 0;
    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
      member.attributes.push_back(std::string(name) + "=" + std::string(static_cast<const char *>(value), size));
    }
    members.push_back(std::move(member));
  }
  EXPECT_EQ(status, ARCHIVE_EOF) << archive_error_string(reader);
  archive_read_free(reader);
  return members;
}

inline std::vector<std::string> lines_of(const std::vector<Member> &members) {
  std::vector<std::string> lines;
  for (const Member &member : members) lines.push_back(member.line);
  return lines;
}

inline std::vector<std::string> paths_of(const std::vector<Member> &members) {
  std::vector<std::string> paths;
  for (const Member &member : members) paths.push_back(member.path);
  return paths;
}

/// Acts as a user who owns nothing while it lives; does nothing when the tests do not run as root.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) was_root_ = ::seteuid(65534) == 0;
  }
  AsNobody(const AsNobody &) = delete;
  AsNobody &operator=(const AsNobody &) = delete;
  ~AsNobody() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool was_root_ = false;
};

}  // namespace debroot::pack
