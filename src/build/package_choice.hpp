/// Outside: which packages the image gets. Fetching, verifying and resolving, and all of it once more when hooks have
/// changed what packages are chosen by.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/trace.hpp"
#include "build/archive_indexes.hpp"
#include "build/plan_memory.hpp"
#include "build/selection.hpp"
#include "debian/apt_config.hpp"
#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"
#include "fetch/fetcher.hpp"
#include "resolve/policy.hpp"

namespace debroot::build {

/// Whoever wants to know how the build goes. All of it outlives what it is given to.
struct Witness {
  Progress &progress;
  BuildReport &report;
  base::Trace &trace;
};

/// What is told the builder: the packages, and the indexes that they were chosen from.
struct ChosenPackages {
  SelectedPackages selected;
  std::vector<ListFile> lists;
};

class PackageChoice {
 public:
  /// Starts nothing, so that the process may still fork. `twin_architecture` is that of the tools
  /// that a foreign image is lent; empty: none. @throws Error when the cache cannot be used
  PackageChoice(const BuildPlan &plan, std::string twin_architecture, const Witness &witness, std::stop_token stop);

  /// What setup hooks run with: no packages. They run before anything is fetched, since the archive may be of their
  /// making; only where the time of the image is that of the archive, that is read first. @throws Error
  [[nodiscard]] ChosenPackages before_setup_hooks();
  /// What they have made of the root counts from now on. @throws Error of kind usage for a file that cannot be read
  void take_setup_hooks(RootState state);

  /// All packages. @throws Error
  [[nodiscard]] ChosenPackages choose();

  /// What is installed after the essential set, for a root that hooks in between have changed. The image keeps the time
  /// that `choose` gave it. @throws Error
  [[nodiscard]] ChosenPackages choose_rest(RootState state);

  /// By which packages are to be fetched. Another one after each choice.
  [[nodiscard]] fetch::Fetcher &fetcher() { return *fetcher_; }
  /// Fetched so far, by all of them.
  [[nodiscard]] std::uint64_t network_bytes() const { return network_bytes_ + fetcher_->totals().network_bytes; }

 private:
  void open_fetcher();
  void take_state(RootState &state, std::vector<SourcesFile> sources);
  [[nodiscard]] ArchiveIndexes read_indexes(const std::string &twin_architecture, PlanMemory &memory);

  BuildPlan plan_;  ///< as hooks have left it
  std::string twin_architecture_;
  debian::AptConfig config_;
  std::vector<resolve::Pin> preferences_;
  std::string status_;  ///< dpkg's
  Witness witness_;
  std::stop_token stop_;
  std::optional<fetch::Fetcher> fetcher_;
  std::uint64_t network_bytes_ = 0;      ///< of fetchers before this one
  std::optional<ArchiveIndexes> early_;  ///< read before setup hooks, while they still count
  std::int64_t epoch_ = 0;
  std::vector<ReportedPackage> first_reported_;  ///< what stays when the rest is chosen once more
};

}  // namespace debroot::build
