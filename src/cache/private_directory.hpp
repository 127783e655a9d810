/// Directories below the cache whose content is believed, so that nobody else may have a hand in it.
#pragma once

#include <optional>
#include <string>

#include "base/fd.hpp"

namespace debroot::cache {

/// Why what is in `directory` must not be believed: it, or the directory it is in, belongs to somebody else or can be
/// written by others. Nothing: it may. A directory that is missing is somebody else's.
[[nodiscard]] std::optional<std::string> why_not_private(const std::string &directory);

/// Holds `lock` below `directory` until it is destroyed; waits for it. Where the file system has no locks nobody is
/// kept out, and what is written whole stays whole. @throws Error of kind output
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string &directory);

 private:
  base::Fd fd_;
};

}  // namespace debroot::cache
