/// What is in a cache directory, and what of it may go. fetch/cache.hpp and state_store.hpp say where things lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cache/state_store.hpp"

namespace debroot::cache {

struct FileGroup {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

struct Inventory {
  FileGroup downloads;              ///< by digest
  FileGroup partial;                ///< begun
  FileGroup releases;               ///< signed indexes by URL
  FileGroup plans;                  ///< what was chosen from indexes
  std::vector<StateRecord> states;  ///< least recently used first
  std::string why_no_states;        ///< why states are neither used nor listed; empty: they are
};

/// Of a directory that is missing: nothing. Changes nothing.
[[nodiscard]] Inventory take_inventory(const std::string &directory);

/// What `prune` removes, beside beginnings of downloads that nobody goes on with.
struct PruneLimits {
  bool removes_all = false;
  std::optional<std::uint64_t> bytes;       ///< least recently used files and states go until so much is left
  std::optional<std::int64_t> unused_days;  ///< what was not used for longer goes
};

struct Pruned {
  std::size_t files = 0;   ///< downloads, signed indexes and plans
  std::size_t states = 0;  ///< kept ones
  std::uint64_t bytes = 0;
};

/// Builds that run meanwhile go on: what they hold open stays theirs until they end. @param now Unix seconds
/// @throws Error of kind output when something cannot be removed
Pruned prune(const std::string &directory, const PruneLimits &limits, std::int64_t now);

}  // namespace debroot::cache
