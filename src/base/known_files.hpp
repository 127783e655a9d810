/// Tells files whose content nobody has written since they were noted.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace debroot::base {

/// What tells a file's content from others, without a look at it.
struct ContentIdentity {
  ino_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t seconds = 0;  ///< time of the content, since 1970
  std::uint32_t nanoseconds = 0;

  bool operator==(const ContentIdentity &) const = default;
};

/// Regular files of one file system, by the numbers in which they were noted. The time of a file's last change has no
/// say: it goes by the kernel's ticks, so that one and the same work would show at one time and not at another.
class KnownFiles {
 public:
  void note(const struct stat &info) {
    ContentIdentity identity{info.st_ino, static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec,
                             static_cast<std::uint32_t>(info.st_mtim.tv_nsec)};
    files_.insert_or_assign(info.st_ino, Known{identity, next_++});
  }
  /// The number of this file, whatever it is called now; nothing when it is none of them or was written.
  [[nodiscard]] std::optional<std::uint64_t> number_of(const ContentIdentity &file) const {
    auto found = files_.find(file.inode);
    if (found == files_.end() || found->second.identity != file) return std::nullopt;
    return found->second.number;
  }

 private:
  struct Known {
    ContentIdentity identity;
    std::uint64_t number;
  };
  std::unordered_map<ino_t, Known> files_;
  std::uint64_t next_ = 0;
};

}  // namespace debroot::base
