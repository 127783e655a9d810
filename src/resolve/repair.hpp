/// What apt does when marking alone left broken packages: packages are scored by how much depends on them, and from the
/// highest score down each broken one is kept back, or what it conflicts with is (pkgProblemResolver of apt 2.6).
#pragma once

#include <map>
#include <vector>

#include "resolve/marking.hpp"

namespace debroot::resolve {

class Repair {
 public:
  /// @param requested the slots the user asked for; they are never given up.
  Repair(Marking &marking, const std::vector<SlotId> &requested);

  /// Changes the marking until nothing is broken. @return false when something still is.
  bool run();

 private:
  enum class Unwind { remove, keep };
  struct Kill {
    SlotId slot;
    const Dependency *dependency;
  };
  /// The broken package being looked at.
  struct Case {
    SlotId slot = kNone;
    int round = 0;
    bool is_group = false;  ///< the relation has several alternatives
    Unwind unwind = Unwind::remove;
    std::vector<Kill> kills;
  };
  enum class Verdict { next, done, leave };

  void fix_installed();
  void score();
  void score_package(SlotId slot);
  void score_targets(PackageRef version);
  void inherit_scores();
  std::vector<SlotId> by_score();
  void investigate(SlotId slot, int round);
  Verdict look_at(const Dependency &dependency, Case &broken);
  Verdict try_alternative(const Dependency &dependency, const Alternative &alternative, Case &broken);
  Verdict try_target(const Dependency &dependency, const Alternative &alternative, PackageRef version, Case &broken);
  void give_way(const Alternative &alternative, SlotId other, Case &broken);
  void try_fix_by_install(const Alternative &alternative);
  void give_up_alternative(Case &broken);
  void hold_back(Case &broken);
  void apply_kills(const Case &broken);
  bool upgrade(SlotId slot);
  bool upgrade_needs(SlotId slot);
  bool remove(SlotId slot);
  [[nodiscard]] bool was_met(const Alternative &alternative);
  [[nodiscard]] int &points(SlotId slot) { return scores_[slot]; }

  Marking &marking_;
  std::vector<SlotId> requested_;
  std::map<SlotId, int> scores_;
  std::vector<SlotId> tried_;  ///< upgrades tried once already
  bool has_changed_ = false;
};

}  // namespace debroot::resolve
