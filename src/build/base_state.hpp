/// Outside: whether a build begins with a kept base state, or helps to keep one (cache/state_store.hpp).
///
/// A base state is the root as it is when every package is configured, before debroot's own customisation and the
/// customize hooks. Its key is everything that can show in it; what cannot be put into a key (hooks that run before,
/// scripts with a network) keeps a build from having one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "build/install_plan.hpp"
#include "cache/state_store.hpp"
#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"
#include "sandbox/confinement.hpp"
#include "sandbox/emulation.hpp"

namespace debroot::build {

/// What of this machine has a say.
struct StateSurroundings {
  sandbox::Confinement confinement = sandbox::Confinement::namespaces;
  bool has_user_namespace = false;  ///< in which packages can make no devices
  bool is_in_place = false;         ///< the tree is built in a directory of the user's
  bool is_filled = false;           ///< in which something is already
  sandbox::Emulation emulation;
  std::string kernel;   ///< uname(2)'s release and version, which scripts can see
  std::string program;  ///< program_identity()
};

/// `kernel` of this machine.
[[nodiscard]] std::string kernel_identity();

/// Why a build neither uses nor makes base states; nothing: it does.
[[nodiscard]] std::optional<std::string> why_no_base_state(const BuildPlan &plan,
                                                           const StateSurroundings &surroundings);

/// SHA-256 of everything that can show in the base state of `install`, in hexadecimal.
[[nodiscard]] std::string base_state_key(const BuildPlan &plan, const InstallPlan &install,
                                         const StateSurroundings &surroundings);

/// The part that one build plays. What goes wrong with a state never fails the build.
class BaseStateTurn {
 public:
  /// Looks up what is known of the key. `plan` and `progress` outlive the turn.
  BaseStateTurn(const BuildPlan &plan, const InstallPlan &install, const StateSurroundings &surroundings,
                Progress &progress);

  /// For the builder.
  [[nodiscard]] const StateOrder &order() const noexcept { return order_; }
  /// The descriptor that goes with the order; -1: none.
  [[nodiscard]] int fd() const noexcept;

  /// The builder's answer to an order to restore.
  /// @return whether the build begins with the state
  bool on_restored(const FromBuilder &message, BuildReport &report);
  /// What the builder saw of its own state.
  void on_seen(const FromBuilder &message);

 private:
  void look_up(const InstallPlan &install, bool may_keep);
  void tell(const std::string &line) const;

  const BuildPlan &plan_;
  Progress &progress_;
  std::optional<cache::StateStore> store_;
  cache::Observation observation_;  ///< as far as it is known
  StateOrder order_;
  std::optional<cache::KeptState> kept_;
  std::optional<cache::StateFile> file_;
};

}  // namespace debroot::build
