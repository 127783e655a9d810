#include "resolve/repair.hpp"

#include <algorithm>
#include <cstdlib>

namespace debroot::resolve {
namespace {

constexpr int kRounds = 20;
constexpr int kEssentialPoints = 100;
constexpr int kRequestedBonus = 10000;
constexpr int kEssentialBonus = 5000;

int priority_points(debian::Priority priority) noexcept {
  switch (priority) {
    case debian::Priority::required:
      return 3;
    case debian::Priority::important:
      return 2;
    case debian::Priority::standard:
      return 1;
    case debian::Priority::optional:
      return -1;
    case debian::Priority::extra:
      break;
  }
  return -2;
}

int relation_points(DependencyKind kind) noexcept {
  if (is_negative(kind)) return -1;
  return kind == DependencyKind::suggests ? 0 : 1;
}

bool contains(const std::vector<SlotId> &list, SlotId slot) {
  return std::find(list.begin(), list.end(), slot) != list.end();
}

}  // namespace

Repair::Repair(Marking &marking, const std::vector<SlotId> &requested) : marking_(marking), requested_(requested) {}

bool Repair::run() {
  if (marking_.broken_count() == 0) return true;
  std::vector<SlotId> before;
  fix_installed();
  for (SlotId slot : marking_.occupied()) {
    if (marking_.at(slot).is_install) before.push_back(slot);
  }
  score();
  has_changed_ = true;
  for (int round = 0; round < kRounds && has_changed_; ++round) {
    has_changed_ = false;
    for (SlotId slot : by_score()) investigate(slot, round);
  }
  for (SlotId slot : marking_.occupied()) {
    Mark &mark = marking_.at(slot);
    if (mark.current == kNone && !contains(before, slot)) mark.is_automatic = true;
  }
  return marking_.broken_count() == 0;
}

/// Installed packages that new ones break get their candidate.
void Repair::fix_installed() {
  bool is_again = true;
  while (is_again) {
    is_again = false;
    std::vector<SlotId> slots = marking_.occupied();
    for (SlotId slot : slots) {
      if (marking_.at(slot).is_install || !marking_.is_broken(slot)) continue;
      marking_.install_automatic(slot, false);
      is_again = is_again || marking_.at(slot).is_install;
    }
  }
}

void Repair::score() {
  scores_.clear();
  std::vector<SlotId> slots = marking_.occupied();
  for (SlotId slot : slots) score_package(slot);
  inherit_scores();
  for (SlotId slot : slots) {
    const Slot &data = marking_.catalog().slot(slot);
    if (contains(requested_, slot)) points(slot) += kRequestedBonus;
    if (data.is_essential || data.is_protected) points(slot) += kEssentialBonus;
  }
}

void Repair::score_package(SlotId slot) {
  const Slot &data = marking_.catalog().slot(slot);
  const Mark &mark = marking_.at(slot);
  if (data.is_essential || data.is_protected) points(slot) += kEssentialPoints;
  points(slot) += priority_points(marking_.catalog().index().at(mark.install).priority);
  if (mark.current != kNone && mark.candidate != kNone) points(slot) += 1;
  score_targets(mark.install);
}

void Repair::score_targets(PackageRef version) {
  Catalog &catalog = marking_.catalog();
  for (const Dependency &dependency : catalog.dependencies(version)) {
    int change = relation_points(dependency.kind);
    if (change == 0) continue;
    for (const Alternative &alternative : dependency.alternatives) {
      std::vector<SlotId> seen;
      for (PackageRef target : alternative.targets) {
        SlotId slot = catalog.slot_of(target);
        if (slot == kNone || marking_.at(slot).install != target || contains(seen, slot)) continue;
        seen.push_back(slot);
        points(slot) += change;
      }
    }
  }
}

/// What others need inherits their points, and so does what provides it.
void Repair::inherit_scores() {
  Catalog &catalog = marking_.catalog();
  const std::map<SlotId, int> old = scores_;
  for (SlotId parent : marking_.occupied()) {
    auto found = old.find(parent);
    if (found == old.end() || found->second <= 0) continue;
    for (const Dependency &dependency : catalog.dependencies(marking_.at(parent).install)) {
      if (is_negative(dependency.kind) || dependency.kind == DependencyKind::suggests) continue;
      for (const Alternative &alternative : dependency.alternatives) {
        for (SlotId slot : catalog.group(alternative.relation.name)) {
          if (marking_.at(slot).install != kNone) points(slot) += found->second;
        }
      }
    }
  }
  std::map<SlotId, int> transfers;
  for (SlotId slot : marking_.occupied()) {
    auto found = old.find(slot);
    int transfer = std::abs(points(slot) - (found == old.end() ? 0 : found->second));
    if (transfer == 0) continue;
    for (PackageRef provider : catalog.index().providing(catalog.slot(slot).name)) {
      SlotId owner = catalog.slot_of(provider);
      if (owner != kNone && marking_.at(owner).install == provider) transfers[owner] += transfer;
    }
  }
  for (const auto &[slot, transfer] : transfers) points(slot) += transfer;
}

std::vector<SlotId> Repair::by_score() {
  std::vector<SlotId> slots = marking_.occupied();
  const Catalog &catalog = marking_.catalog();
  std::sort(slots.begin(), slots.end(), [&](SlotId a, SlotId b) {
    if (points(a) != points(b)) return points(a) > points(b);
    if (catalog.slot(a).name != catalog.slot(b).name) {
      return precedes_in_cache(catalog.slot(a).name, catalog.slot(b).name);
    }
    return catalog.slot(a).architecture < catalog.slot(b).architecture;
  });
  return slots;
}

void Repair::investigate(SlotId slot, int round) {
  PackageRef version = marking_.at(slot).install;
  if (version == kNone || !marking_.is_broken(slot)) return;
  Case broken;
  broken.slot = slot;
  broken.round = round;
  for (const Dependency &dependency : marking_.catalog().dependencies(version)) {
    if (!is_critical(dependency.kind) || marking_.holds(dependency)) continue;
    if (look_at(dependency, broken) == Verdict::leave) break;
  }
  if (marking_.at(slot).install != kNone) apply_kills(broken);
}

Repair::Verdict Repair::look_at(const Dependency &dependency, Case &broken) {
  broken.is_group = dependency.alternatives.size() > 1;
  broken.unwind = Unwind::remove;
  std::size_t kills = broken.kills.size();
  for (const Alternative &alternative : dependency.alternatives) {
    if (marking_.holds(dependency)) return Verdict::next;
    Verdict verdict = try_alternative(dependency, alternative, broken);
    if (verdict == Verdict::leave) return verdict;
    if (verdict == Verdict::done && !broken.is_group) return Verdict::leave;
  }
  if (broken.is_group && kills == broken.kills.size() && !marking_.holds(dependency)) give_up_alternative(broken);
  return Verdict::next;
}

/// No alternative of the group would do: the package itself has to go.
void Repair::give_up_alternative(Case &broken) {
  if (broken.unwind == Unwind::keep) {
    marking_.keep(broken.slot);
    has_changed_ = true;
  } else if (!marking_.at(broken.slot).is_protected) {
    remove(broken.slot);
    has_changed_ = true;
  }
}

Repair::Verdict Repair::try_alternative(const Dependency &dependency, const Alternative &alternative, Case &broken) {
  bool is_protected = marking_.at(broken.slot).is_protected;
  if (alternative.targets.empty() && !is_negative(dependency.kind) && !is_protected) {
    if (!marking_.was_broken(broken.slot)) {
      if (broken.is_group) return Verdict::next;
      has_changed_ = true;
      marking_.keep(broken.slot);
      return Verdict::leave;
    }
    hold_back(broken);
    if (marking_.is_broken(broken.slot) && !broken.is_group) remove(broken.slot);
    has_changed_ = true;
    return Verdict::done;
  }
  for (PackageRef version : alternative.targets) {
    if (marking_.catalog().slot_of(version) == kNone) continue;
    Verdict verdict = try_target(dependency, alternative, version, broken);
    if (verdict == Verdict::leave) return Verdict::next;
    if (verdict == Verdict::done) return verdict;
  }
  return Verdict::next;
}

/// @return next to look at further targets, leave to stop looking, done when something was changed for it.
Repair::Verdict Repair::try_target(const Dependency &dependency, const Alternative &alternative, PackageRef version,
                                   Case &broken) {
  SlotId other = marking_.catalog().slot_of(version);
  bool forbids = is_negative(dependency.kind);
  if (forbids && marking_.at(other).install != version) return Verdict::next;
  if (points(broken.slot) <= points(other) || (!forbids && !was_met(alternative))) {
    if (marking_.at(broken.slot).is_protected) {
      if (!upgrade(other)) return Verdict::next;
      points(other) = std::min(points(other), points(broken.slot));
      return Verdict::leave;
    }
    give_way(alternative, other, broken);
    has_changed_ = true;
    return Verdict::done;
  }
  if (dependency.kind == DependencyKind::breaks) {
    const Mark &mark = marking_.at(other);
    bool would_help =
        mark.candidate != kNone && mark.candidate != version &&
        std::find(alternative.targets.begin(), alternative.targets.end(), mark.candidate) == alternative.targets.end();
    if (would_help) {
      marking_.install_automatic(other, false);
      return Verdict::next;
    }
  }
  if (marking_.at(other).is_protected) return Verdict::next;
  broken.kills.push_back({other, &dependency});
  return forbids ? Verdict::next : Verdict::leave;
}

/// Keeps the package back, remembering that this is what helps.
void Repair::hold_back(Case &broken) {
  bool was_install = marking_.at(broken.slot).is_install;
  marking_.keep(broken.slot);
  if (marking_.is_broken(broken.slot)) return;
  broken.unwind = Unwind::keep;
  // Another alternative of the group may still do.
  if (broken.is_group && was_install) marking_.install_automatic(broken.slot, false);
}

void Repair::give_way(const Alternative &alternative, SlotId other, Case &broken) {
  hold_back(broken);
  if (broken.unwind == Unwind::keep || !marking_.is_broken(broken.slot)) return;
  if (upgrade(broken.slot)) return;
  if (broken.is_group) {
    try_fix_by_install(alternative);
    return;
  }
  remove(broken.slot);
  if (broken.round > 1) points(broken.slot) = std::max(points(broken.slot), points(other));
}

/// Installs the alternative's own package if that breaks nothing else.
void Repair::try_fix_by_install(const Alternative &alternative) {
  std::optional<SlotId> target = marking_.catalog().find(alternative.relation.name, 0);
  if (!target) return;
  const Mark &mark = marking_.at(*target);
  if (mark.current != kNone || mark.is_held || mark.candidate == kNone) return;
  std::size_t before = marking_.broken_count();
  marking_.install_automatic(*target, true);
  if (marking_.is_broken(*target) || marking_.broken_count() > before) remove(*target);
}

void Repair::apply_kills(const Case &broken) {
  for (const Kill &kill : broken.kills) {
    bool is_done = marking_.held_before(*kill.dependency) ? marking_.keep(kill.slot)
                                                          : is_negative(kill.dependency->kind) && remove(kill.slot);
    if ((!is_done || broken.round > 1) && points(broken.slot) > points(kill.slot)) {
      points(kill.slot) = points(broken.slot);
      has_changed_ = true;
    }
    has_changed_ = has_changed_ || is_done;
  }
}

bool Repair::was_met(const Alternative &alternative) {
  return std::any_of(alternative.targets.begin(), alternative.targets.end(), [this](PackageRef version) {
    SlotId slot = marking_.catalog().slot_of(version);
    return slot != kNone && marking_.at(slot).current == version;
  });
}

/// Installs the candidate of `slot` together with what that needs; takes it back if it does not work.
bool Repair::upgrade(SlotId slot) {
  const Mark &mark = marking_.at(slot);
  if (contains(tried_, slot) || mark.candidate == kNone || mark.candidate == mark.current) return false;
  if (contains(requested_, slot)) return false;
  tried_.push_back(slot);
  bool was_kept = !mark.is_install;
  if (!marking_.install_automatic(slot, false) || mark.install == kNone) return false;
  if (upgrade_needs(slot)) return true;
  if (was_kept) {
    marking_.keep(slot);
  } else {
    remove(slot);
  }
  return false;
}

bool Repair::upgrade_needs(SlotId slot) {
  Catalog &catalog = marking_.catalog();
  for (const Dependency &dependency : catalog.dependencies(marking_.at(slot).install)) {
    if (!is_critical(dependency.kind)) continue;
    bool has_failed = false;
    for (const Alternative &alternative : dependency.alternatives) {
      if (marking_.holds(dependency)) break;
      auto is_candidate = [&](PackageRef version) {
        SlotId target = catalog.slot_of(version);
        return target != kNone && marking_.at(target).candidate == version;
      };
      auto found = std::find_if(alternative.targets.begin(), alternative.targets.end(), is_candidate);
      if (is_negative(dependency.kind)) break;  // the next round sees to conflicts
      has_failed = found == alternative.targets.end() || marking_.at(catalog.slot_of(*found)).is_protected ||
                   !upgrade(catalog.slot_of(*found));
      if (!has_failed) break;
    }
    if (has_failed) return false;
  }
  return true;
}

/// Gives up a package that was only to be installed; never an installed, essential or requested one.
bool Repair::remove(SlotId slot) {
  const Mark &mark = marking_.at(slot);
  const Slot &data = marking_.catalog().slot(slot);
  if (mark.install == kNone) return true;
  if (mark.current != kNone || mark.is_protected || data.is_essential || data.is_protected || !mark.is_automatic) {
    return false;
  }
  return marking_.keep(slot);
}

}  // namespace debroot::resolve
