/// The one door to files inside a root: every path is resolved by the kernel as if the root were '/', so neither an
/// absolute link nor '..' in the tree can lead out of it (openat2 with RESOLVE_IN_ROOT).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace debroot::base {

/// A directory that serves as the root of a tree. Paths given to it may start with '/' or './' or neither; they all
/// mean the same. Errors name the path as seen inside ("/etc/passwd"). Not thread-safe only in that two threads should
/// not change the same entries.
class RootDirectory {
 public:
  RootDirectory() = default;
  /// Opens `path` of the host. @throws Error
  [[nodiscard]] static RootDirectory open(const std::string &path);
  explicit RootDirectory(Fd directory) : directory_(std::move(directory)) {}

  [[nodiscard]] int fd() const noexcept { return directory_.get(); }
  /// Another handle to the same directory. @throws Error
  [[nodiscard]] RootDirectory duplicate() const { return RootDirectory(directory_.duplicate()); }

  /// openat2 inside the root; nothing when the path (or a parent) does not exist. @throws Error otherwise
  [[nodiscard]] std::optional<Fd> try_open_file(std::string_view path, int flags, mode_t mode = 0) const;
  /// As try_open_file, but absence is an error too.
  [[nodiscard]] Fd open_file(std::string_view path, int flags, mode_t mode = 0) const;
  /// The directory that holds `path`, links in its parents followed, and the last component in `leaf`. Nothing when a
  /// parent does not exist.
  [[nodiscard]] std::optional<Fd> try_open_parent(std::string_view path, std::string &leaf) const;

  /// lstat; nothing when absent.
  [[nodiscard]] std::optional<struct stat> status(std::string_view path) const;
  /// stat, following a final link inside the root; nothing when absent or dangling.
  [[nodiscard]] std::optional<struct stat> status_followed(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const { return status(path).has_value(); }
  /// Target of a symbolic link; nothing when there is no link at `path`.
  [[nodiscard]] std::optional<std::string> link_target(std::string_view path) const;

  /// Content of a regular file, links followed; nothing when absent.
  [[nodiscard]] std::optional<std::string> try_read(std::string_view path) const;
  [[nodiscard]] std::string read(std::string_view path) const;
  /// Creates or truncates the file at `path`, links followed, and fills it; the mode is set exactly, umask or not.
  void write(std::string_view path, std::string_view content, mode_t mode = 0644) const;
  /// As `write`, but through "`path`-new" and a rename, as dpkg and apt replace their databases.
  void replace(std::string_view path, std::string_view content, mode_t mode = 0644) const;
  void append(std::string_view path, std::string_view content, mode_t mode = 0644) const;

  /// mkdir -p: parents 0755, the last directory `mode`; an existing directory (or a link to one) is left as it is.
  void make_directories(std::string_view path, mode_t mode = 0755) const;
  void make_link(std::string_view path, const std::string &target) const;
  void rename(std::string_view from, std::string_view to) const;
  /// Removes a file or link; true when there was one.
  bool remove_file(std::string_view path) const;
  /// Removes what is at `path` with everything below, never crossing into another file system; absence is fine.
  void remove_tree(std::string_view path) const;
  /// Removes everything below the directory `path` but not itself; entries in `keep` (names) stay.
  void clear_directory(std::string_view path, const std::vector<std::string> &keep = {}) const;
  /// Names in a directory, sorted bytewise, without "." and ".."; empty when absent.
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const;
  void set_mode(std::string_view path, mode_t mode) const;
  void set_owner(std::string_view path, uid_t uid, gid_t gid) const;
  /// Sets the time of the file or directory to now, as making and removing something in a directory would.
  void touch(std::string_view path) const;

 private:
  Fd directory_;
};

/// Names in an open directory, sorted bytewise, without "." and "..". @throws Error
[[nodiscard]] std::vector<std::string> list_directory(int directory);

}  // namespace debroot::base
