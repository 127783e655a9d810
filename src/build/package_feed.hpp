/// The outside process while the builder works: .debs go in as they arrive, events come out.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/channel.hpp"
#include "base/trace.hpp"
#include "build/archive_indexes.hpp"
#include "build/base_state.hpp"
#include "build/install_plan.hpp"
#include "build/selection.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"
#include "fetch/fetcher.hpp"
#include "sandbox/builder_process.hpp"

namespace debroot::build {

/// Sends one message to the builder. A builder that stopped has told why before: that is what is thrown then.
/// @throws Error
void tell_builder(base::Channel &channel, std::string_view bytes, const std::vector<int> &fds = {});

class PackageFeed {
 public:
  /// `state` may be null: the build has nothing to do with base states.
  PackageFeed(const BuildPlan &plan, SelectedPackages selected, std::vector<ListFile> lists, fetch::Fetcher &fetcher,
              sandbox::BuilderHandle &builder, Progress &progress, base::Trace &trace, BaseStateTurn *state = nullptr);

  /// Puts a byte into `fd` for each step that was shown; the builder waits for it.
  void tell_of_steps(int fd) noexcept { shown_steps_ = fd; }

  /// Sends the plan and, unless the build begins with a base state, every package, and shows what the builder tells
  /// until it is done, or until hooks have run by whose work packages have to be chosen: then the answer is what they
  /// have made of the root, and downloads may still be running. @throws the first Error of a download or the builder,
  /// or one of kind interrupted when `stop` asks; the builder is then being killed
  [[nodiscard]] std::optional<RootState> run(const std::stop_token &stop, BuildReport &report);

  /// SHA-256 of the image's tar, uncompressed, after `run`; empty unless an output is an OCI image.
  [[nodiscard]] const std::string &tar_digest() const noexcept { return tar_digest_; }

 private:
  void send_plan();
  [[nodiscard]] bool begins_with_state(const std::stop_token &stop, BuildReport &report);
  void start_downloads();
  [[nodiscard]] bool is_twin(std::uint32_t number) const noexcept { return number >= plan_.packages.size(); }
  void pass_on(std::uint32_t number, fetch::Completion completion);
  void take_downloads();
  void wait_for_events(const std::stop_token &stop);
  void take_events(BuildReport &report);
  void handle(const FromBuilder &message, BuildReport &report);
  void finish_downloads(BuildReport &report);

  InstallPlan plan_;
  std::vector<fetch::Request> downloads_;
  std::vector<ListFile> lists_;
  bool needs_lists_;
  fetch::Fetcher &fetcher_;
  sandbox::BuilderHandle &builder_;
  Progress &progress_;
  base::Trace &trace_;
  BaseStateTurn *state_;
  std::optional<bool> is_restored_;   ///< the builder's answer to an order to restore
  std::vector<std::size_t> tickets_;  ///< of each package's download
  PhaseCount count_;
  std::chrono::steady_clock::time_point started_;
  std::uint64_t began_ = 0;  ///< the downloads, by the trace's clock
  std::chrono::steady_clock::time_point told_;
  std::uint64_t bytes_before_ = 0;
  int shown_steps_ = -1;
  bool has_all_ = false;
  bool is_done_ = false;
  std::optional<RootState> root_state_;
  std::string tar_digest_;
};

}  // namespace debroot::build
