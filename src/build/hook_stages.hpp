/// In the builder: the hooks of each stage, with all that they are to find: the tree in its place, mounts, devices, the
/// verified indexes where apt looks for them, and the environment.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "base/trace.hpp"
#include "build/builder.hpp"
#include "build/event_sender.hpp"
#include "build/install_plan.hpp"
#include "build/root_skeleton.hpp"
#include "customize/hook_mounts.hpp"
#include "customize/hooks.hpp"

namespace debroot::build {

/// What hooks work with; all of it outlives them.
struct HookSurroundings {
  const BuilderSetup &setup;
  const BuildPlan &plan;
  const InstallPlan &install;
  const std::vector<base::Fd> &lists;  ///< those of install.list_names
  const base::RootDirectory &root;
  const base::RootDirectory &staging;
  EventSender &events;
  base::Trace &trace;
};

/// What is so when one stage begins.
struct StageFacts {
  AptState apt;
  std::vector<std::string> first_debs;    ///< HookFacts
  bool has_own_devices = false;           ///< nodes are in the tree itself
  std::function<void()> after_hook = {};  ///< called after each of them
};

class HookStages {
 public:
  explicit HookStages(HookSurroundings surroundings) : around_(surroundings) {}

  /// Runs the hooks of `stage` one after the other. `root_path` is where the tree is; from the first hook on it becomes
  /// where hooks see it. @throws Error of kind script when one fails
  void run(HookStage stage, const StageFacts &facts, std::string &root_path);
  /// Ends or awaits what they have left running. To be called before the tree is packed.
  void finish();
  [[nodiscard]] bool have_run() const noexcept { return hooks_.has_value(); }
  /// Whether an `apt-get update` of the stage that ran last has brought indexes that were not there, or were others.
  [[nodiscard]] bool has_brought_lists() const noexcept { return has_brought_lists_; }

 private:
  void open(std::string &root_path);
  void write_lists(const AptState &apt);
  /// Size and time of apt's lists, by name.
  using Listing = std::map<std::string, std::array<std::int64_t, 3>>;
  [[nodiscard]] Listing list_lists() const;
  void clear_lists(const Listing &before);
  [[nodiscard]] customize::HookMountOptions mount_options(bool has_own_devices) const;
  [[nodiscard]] customize::HookSettings settings(HookStage stage, const StageFacts &facts,
                                                 const std::string &root_path) const;
  [[nodiscard]] std::vector<std::string> variables(HookStage stage, const StageFacts &facts,
                                                   const std::string &root_path) const;

  HookSurroundings around_;
  base::RootDirectory hook_root_;  ///< the same directory in the mount that hooks see
  std::optional<customize::HookRunner> hooks_;
  bool have_updated_ = false;  ///< the lists are those of a hook's apt
  bool has_brought_lists_ = false;
};

}  // namespace debroot::build
