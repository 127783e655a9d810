/// The place where the tree is built: `$TMPDIR/debroot.XXXXXX`, on disk or with a tmpfs over it. Hooks that were
/// written for mmdebstrap find it under a name as mmdebstrap's, `$TMPDIR/mmdebstrap.XXXXXXXXXX`.
///
/// The caller makes the directory and holds a lock (flock) on it, which fork passes on; a directory whose lock is free
/// belongs to nobody any more. Inside lie `root`, the tree, and whatever is prepared beside it on the same file system.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "sandbox/memory.hpp"

namespace debroot::sandbox {

/// What the staging file system must hold.
struct StagingNeed {
  std::uint64_t bytes = 0;   ///< from Installed-Size, downloads and work done ahead included
  std::uint64_t inodes = 0;  ///< files, directories and links
};

enum class StagingKind { memory, disk };

/// Where to stage, and why.
struct StagingChoice {
  StagingKind kind = StagingKind::disk;
  std::uint64_t size_bytes = 0;  ///< of the tmpfs
  std::uint64_t inodes = 0;      ///< of the tmpfs
  std::string reason;            ///< for the log: "4.2 GB of memory can be used, 0.9 GB are needed"
};

/// Memory when half as much again as needed fits into what is free after 512 MB are left to scripts and compressors;
/// the tmpfs may then grow into all of it.
[[nodiscard]] StagingChoice choose_staging(const StagingNeed &need, const MemoryFacts &facts);

/// Throws when a tree cannot be built on a file system mounted so: noexec always, nodev when scripts use
/// device nodes of the tree itself (`uses_nodes`). `mount_flags` are statvfs(3)'s f_flag.
/// @throws Error of kind sandbox with TMPDIR as the remedy
void check_staging_flags(const std::string &directory, unsigned long mount_flags, bool uses_nodes);

/// What a staging directory's name begins with; six letters drawn at random follow.
inline constexpr std::string_view kStagingPrefix = "debroot.";
/// The same of a directory that stays empty, for the tree to be mounted over: ten letters follow mmdebstrap's own
/// prefix.
inline constexpr std::string_view kHookRootPrefix = "mmdebstrap.root";

/// The staging directory as its maker holds it.
class Staging {
 public:
  /// Makes and locks a new directory, mode 0700, below `temporary_directory`. @throws Error of kind sandbox
  [[nodiscard]] static Staging create(const std::string &temporary_directory, std::string_view prefix = kStagingPrefix);
  Staging(Staging &&) noexcept = default;
  Staging &operator=(Staging &&) noexcept = default;
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;
  /// Removes the directory if it is still there and empty; the keeper has removed what was in it.
  ~Staging();

  /// Absolute path of the directory.
  [[nodiscard]] const std::string &path() const noexcept { return path_; }
  /// Path of the tree below it.
  [[nodiscard]] std::string root_path() const { return path_ + "/root"; }

 private:
  Staging(std::string path, base::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  base::Fd lock_;
};

/// In the builder: mounts the tmpfs over the directory at `path` if it is to be memory, checks the file system else,
/// and makes the empty `root` in it. `uses_nodes` as in `check_staging_flags`. @return the directory itself. @throws
/// Error
[[nodiscard]] base::RootDirectory prepare_staging(const std::string &path, const StagingChoice &choice,
                                                  bool uses_nodes);

/// In the builder: shows the tree at `root_path` in the empty directory `place` as well. @throws Error
void mount_tree(const std::string &root_path, const std::string &place);

/// Mount points at or below `path` in the text of /proc/self/mountinfo, the last mounted first.
[[nodiscard]] std::vector<std::string> mount_points_below(std::string_view mountinfo, std::string_view path);

/// In the builder or keeper: takes away every mount below `path`, as hooks leave them, but not one at it. Processes
/// that use one keep it.
void unmount_below(const std::string &path);

/// In the builder or keeper: removes the directory with everything in it; what is mounted over or in it is unmounted
/// first. Absence is fine. @throws Error
void remove_staging(const std::string &path);

/// In the builder: removes the staging directories below `temporary_directory` that belong to `owner` (the caller's
/// uid as it is called inside) and whose lock is free, as a kill of all processes leaves them. Failures are passed
/// over. @return how many were removed
std::size_t sweep_stale_stagings(const std::string &temporary_directory, uid_t owner);

}  // namespace debroot::sandbox
