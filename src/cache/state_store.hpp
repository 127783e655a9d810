/// Base states kept between runs: trees with every package configured, from which a build of the same inputs goes on.
///
/// Layout below CACHE/states, which several debroot processes may use at once:
///
///     KEY.json    what is known of a key, replaced whole; its time of change is that of the last use
///     KEY.state   the kept tree, an uncompressed tar, and behind it what does not show in an image (extras)
///     lock        flock(2) of whoever changes what is known
///
/// A tree is kept once two builds of the same key, one begun after the other had ended, were alike: a state in which a
/// package drew something at random is never used. What is kept is checked by its digests when it is used, but believed
/// otherwise, and so lies in a directory that belongs to the caller alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "cache/state_parts.hpp"

namespace debroot::cache {

/// What `cache list` says of a state.
struct StateFacts {
  std::string suite;
  std::string architecture;
  std::string variant;
  std::uint64_t packages = 0;
};

enum class Standing {
  seen,    ///< one build came to it
  kept,    ///< two had, and the tree is there
  random,  ///< two builds differed, or files are known to be drawn at random
};

struct StateRecord {
  std::string key;
  Standing standing = Standing::seen;
  StateFacts facts;
  StateParts parts;                     ///< of a random one: nothing; of one that is only seen: no tar_digest
  std::int64_t ended_milliseconds = 0;  ///< when the build ended that saw it first, since 1970
  std::int64_t used_seconds = 0;        ///< last use, since 1970; not written
};

/// A state ready to be used.
struct KeptState {
  base::Fd file;
  StateParts parts;
};

/// A file that a state is written to. It has no name that counts, and is gone when it is not handed to `settle`.
class StateFile {
 public:
  StateFile(base::Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  StateFile(StateFile &&other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  StateFile &operator=(StateFile &&other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~StateFile();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Gives it the name `path`, where nothing may be. @return whether that could be done
  [[nodiscard]] bool publish(const std::string &path);

 private:
  base::Fd fd_;
  std::string path_;  ///< empty: it has none
};

/// What a build that made its tree from packages saw.
struct Observation {
  std::string key;
  StateFacts facts;
  StateParts parts;
  bool has_random_files = false;
  std::int64_t begun_milliseconds = 0;
  std::int64_t ended_milliseconds = 0;
};

/// How much is kept.
struct Bounds {
  std::uint64_t bytes = std::uint64_t{4} << 30;
  std::uint64_t free_bytes = std::uint64_t{1} << 30;  ///< that stay free on the file system
};

class StateStore {
 public:
  /// Makes CACHE/states where it is missing. Nothing when it cannot be used, with the cause in `why`.
  [[nodiscard]] static std::optional<StateStore> open(const std::string &cache_directory, std::string &why);

  /// What is known of a key.
  [[nodiscard]] std::optional<StateRecord> find(const std::string &key) const;
  /// The kept state, and notes that it is used now. Nothing when there is none.
  [[nodiscard]] std::optional<KeptState> take(const std::string &key) const;
  /// Forgets a state that was found damaged; one that has taken its place since stays.
  void drop(const std::string &key, const std::string &tar_digest) const;

  /// A place for a new state. Nothing when the file system is too full for `expected_bytes` more.
  [[nodiscard]] std::optional<StateFile> make_file(std::uint64_t expected_bytes, const Bounds &bounds) const;

  /// Takes in what a build saw; `file` holds its state, if it wrote one. Less recently used states give way to a new
  /// one. @return what is known of the key now @throws Error of kind output
  Standing settle(const Observation &seen, std::optional<StateFile> file, const Bounds &bounds) const;

  /// All records, least recently used first.
  [[nodiscard]] std::vector<StateRecord> list() const;
  /// Bytes of kept states.
  [[nodiscard]] static std::uint64_t kept_bytes(const std::vector<StateRecord> &records);
  /// Removes a key with all that is known of it.
  void remove(const std::string &key) const;
  /// Removes least recently used states until those left have at most `bytes`; what is known of their keys stays.
  void shrink(std::uint64_t bytes) const;

 private:
  explicit StateStore(std::string directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::string record_path(const std::string &key) const;
  [[nodiscard]] std::string state_path(const std::string &key) const;
  void write(const StateRecord &record) const;
  void unlink_both(const std::string &key) const;
  void evict(std::uint64_t bytes, const std::string &spared) const;

  std::string directory_;
};

}  // namespace debroot::cache
