/// Downloads kept between runs, and files that are on their way there.
///
/// Layout below the cache directory, which several debroot processes may use at once:
///
///     files/sha256/ab/abcdef…     a finished file under its SHA-256; appears whole or not at all
///     partial/abcdef…             the beginning of one; whoever holds its flock(2) may write it
///     releases/URLHASH            the last body of a release URL, URLHASH being the SHA-256 of the URL
///     releases/URLHASH.validators what the server said about it, and the body's SHA-256
///
/// The time of a file is that of its last use. Base states lie beside these (cache/state_store.hpp).
///
/// Nothing of this is believed: a file is hashed again whenever it is taken, and one that does not fit is removed.
/// With an empty directory nothing is kept and every download lives in an unnamed temporary file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "debroot/plan.hpp"

namespace debroot::fetch {

/// A file being written. Named ones hold their lock until destroyed; an empty one is then removed.
class PartialFile {
 public:
  PartialFile(base::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  PartialFile(PartialFile &&) noexcept = default;
  PartialFile &operator=(PartialFile &&) noexcept = default;
  ~PartialFile();

  [[nodiscard]] const base::Fd &fd() const noexcept { return fd_; }
  /// Empty for an unnamed file.
  [[nodiscard]] const std::string &path() const noexcept { return path_; }
  /// Gives the descriptor up; what is on disk stays.
  [[nodiscard]] base::Fd take() &&noexcept { return std::move(fd_); }

 private:
  base::Fd fd_;
  std::string path_;
};

/// What makes a conditional GET possible; either may be empty.
struct Validators {
  std::string etag;
  std::string last_modified;
};

/// A kept release file.
struct KeptRelease {
  base::Fd body;
  std::uint64_t size_bytes = 0;
  Validators validators;
};

/// Used by the transfer thread alone.
class Cache {
 public:
  /// Makes the directory where it is missing, with mode 0700 as the XDG rule wants it (offline: touches nothing).
  /// @throws Error of kind output that names --cache and --no-cache when it cannot be used.
  Cache(const CachePlan &plan, std::string temporary_directory);

  /// The finished file, hashed again on the way; nothing if it is not there or was not what its name says.
  [[nodiscard]] std::optional<base::Fd> take(const std::string &sha256, std::uint64_t *size_bytes) const;

  /// The partial file of `sha256`, locked, with what an earlier run left in it; nothing while somebody else writes it.
  /// @throws Error
  [[nodiscard]] std::optional<PartialFile> try_lock_partial(const std::string &sha256) const;

  /// Size of the partial file that somebody else holds; 0 when there is none.
  [[nodiscard]] std::uint64_t partial_size(const std::string &sha256) const noexcept;

  /// An empty file without a name, in the cache where there is one (so that it can be published), else in the
  /// temporary directory. @throws Error
  [[nodiscard]] PartialFile make_unnamed() const;

  /// Puts a file whose digest was found to be `sha256` in its place. Somebody else having done it first is fine.
  /// @return the file, open for reading @throws Error
  [[nodiscard]] base::Fd publish(PartialFile file, const std::string &sha256) const;

  /// The kept body of a release URL; nothing unless body and validators belong together.
  [[nodiscard]] std::optional<KeptRelease> take_release(const std::string &url) const;

  /// Keeps the content of `body` for `url`, replacing what was kept. @throws Error
  void publish_release(const std::string &url, int body, const Validators &validators) const;

  /// Forgets what is kept for `url`.
  void drop_release(const std::string &url) const noexcept;

  [[nodiscard]] bool is_offline() const noexcept { return is_offline_; }
  /// False with --no-cache.
  [[nodiscard]] bool keeps_files() const noexcept { return !directory_.empty(); }

 private:
  [[nodiscard]] std::string file_path(const std::string &sha256) const;
  [[nodiscard]] std::string partial_path(const std::string &sha256) const;
  [[nodiscard]] std::string release_path(const std::string &url) const;

  std::string directory_;
  bool is_offline_;
  std::string temporary_directory_;
};

}  // namespace debroot::fetch
