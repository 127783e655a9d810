/// What was chosen from indexes, kept under a digest of everything that it was chosen by, so that the same question
/// need not be answered twice.
///
/// Each answer is a file CACHE/plans/KEY: the SHA-256 of what follows in hexadecimal, a line end, the answer. Like base
/// states it is believed, and so lies in a directory that belongs to the caller alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace debroot::cache {

class PlanStore {
 public:
  /// Makes CACHE/plans where it is missing. Nothing when it cannot be used.
  [[nodiscard]] static std::optional<PlanStore> open(const std::string &cache_directory);

  /// The answer, noting that it is used now; nothing when there is none, or a damaged one.
  [[nodiscard]] std::optional<std::string> take(const std::string &key) const;
  /// Keeps an answer; least recently used ones go when there are more than `most`. Failures are passed over.
  void keep(const std::string &key, std::string_view answer, std::size_t most = 100) const noexcept;

 private:
  explicit PlanStore(std::string directory) : directory_(std::move(directory)) {}
  void shrink(std::size_t most) const;

  std::string directory_;
};

}  // namespace debroot::cache
