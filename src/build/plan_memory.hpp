/// What earlier builds chose from the same indexes by the same wishes (cache/plan_store.hpp): reading an archive's
/// indexes and resolving takes longer than all that follows when a base state is used.
#pragma once

#include <optional>
#include <string>

#include "build/archive_indexes.hpp"
#include "build/selection.hpp"
#include "cache/plan_store.hpp"
#include "debroot/plan.hpp"

namespace debroot::build {

/// Why nothing is remembered of such a plan; nothing: it is.
[[nodiscard]] std::optional<std::string> why_no_plan_memory(const BuildPlan &plan);

/// SHA-256 of everything that has a say in what is chosen: the plan, the signed indexes in `opened`, and `program`
/// (program_identity()).
[[nodiscard]] std::string plan_key(const BuildPlan &plan, const ArchiveIndexes &opened,
                                   const std::string &twin_architecture, const std::string &program);

class PlanMemory {
 public:
  /// Remembers nothing.
  PlanMemory() = default;
  PlanMemory(const BuildPlan &plan, std::string twin_architecture);

  /// Whether what is to be chosen from `opened`, of which only the signed indexes were read, is known.
  [[nodiscard]] bool recall(const ArchiveIndexes &opened);
  /// What was recalled: everything but `refs`. Once.
  [[nodiscard]] std::optional<SelectedPackages> take();
  /// Remembers what was chosen, its twins too.
  void remember(const ArchiveIndexes &indexes, const SelectedPackages &selected) const;

 private:
  const BuildPlan *plan_ = nullptr;
  std::string twin_architecture_;
  std::optional<cache::PlanStore> store_;
  std::string key_;
  std::optional<SelectedPackages> recalled_;
};

}  // namespace debroot::build
