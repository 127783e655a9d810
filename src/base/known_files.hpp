/// Tells files that nobody has touched since they were looked at.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <unordered_map>

namespace debroot::base {

/// What changes when a file of one file system is written, given another owner, mode or name, or replaced.
struct FileIdentity {
  ino_t inode = 0;
  std::int64_t change_nanoseconds = 0;        ///< time of the last change of the inode, since 1970
  std::int64_t modification_nanoseconds = 0;  ///< of the content

  bool operator==(const FileIdentity &) const = default;
};

[[nodiscard]] inline FileIdentity identity_of(const struct stat &info) noexcept {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {info.st_ino, info.st_ctim.tv_sec * kSecond + info.st_ctim.tv_nsec,
          info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec};
}

/// Files of one file system, as they were when they were noted last.
class KnownFiles {
 public:
  void note(const FileIdentity &file) { files_.insert_or_assign(file.inode, file); }
  void note(const struct stat &info) { note(identity_of(info)); }
  /// Whether this is one of them, untouched.
  [[nodiscard]] bool holds(const FileIdentity &file) const {
    auto found = files_.find(file.inode);
    return found != files_.end() && found->second == file;
  }

 private:
  std::unordered_map<ino_t, FileIdentity> files_;
};

}  // namespace debroot::base
