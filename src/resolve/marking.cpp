#include "resolve/marking.hpp"

#include <algorithm>

namespace debroot::resolve {
namespace {

/// apt gives up below this depth as well.
constexpr unsigned kDeepest = 3000;

bool contains(const std::vector<PackageRef> &list, PackageRef item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

/// One call of install: what is being installed and what was found to be done for it.
struct Marking::Work {
  SlotId slot = kNone;
  PackageRef version = kNone;
  unsigned depth = 0;
  bool by_user = false;
  /// The package was protected already: its only solutions become protected, and failures do not end the attempt.
  bool was_protected = false;
  std::vector<const Dependency *> needs;
  std::vector<const Dependency *> conflicts;
  std::vector<SlotId> upgrades;
  std::vector<SlotId> bad_candidates;

  [[nodiscard]] bool stops_early() const noexcept { return !was_protected && !by_user; }
};

Marking::Marking(Catalog &catalog, const Priorities &priorities, const Policy &policy,
                 std::span<const PackageRef> installed, std::function<const MentionOrder &()> mentions)
    : catalog_(catalog),
      priorities_(priorities),
      policy_(policy),
      installed_(installed.begin(), installed.end()),
      mentions_(std::move(mentions)) {
  std::sort(installed_.begin(), installed_.end());
  for (PackageRef version : installed) {
    SlotId slot = catalog_.slot_of(version);
    if (slot == kNone) continue;
    installed_slots_.push_back(slot);
    static_cast<void>(at(slot));
  }
}

Mark &Marking::at(SlotId slot) {
  while (marks_.size() <= slot) {
    SlotId id = static_cast<SlotId>(marks_.size());
    const Slot &data = catalog_.slot(id);
    Mark mark;
    std::optional<PackageRef> current;
    for (PackageRef version : data.versions) {
      if (std::binary_search(installed_.begin(), installed_.end(), version)) current = version;
    }
    mark.current = mark.install = current.value_or(kNone);
    mark.candidate = priorities_.candidate(data.versions, current).value_or(kNone);
    if (std::find(policy_.excludes.begin(), policy_.excludes.end(), data.name) != policy_.excludes.end()) {
      mark.is_held = true;
      mark.candidate = mark.current;
    }
    mark.is_listed = current.has_value();
    if (current) occupied_.push_back(id);
    marks_.push_back(mark);
  }
  return marks_[slot];
}

const std::vector<SlotId> &Marking::occupied() {
  std::erase_if(occupied_, [this](SlotId slot) {
    Mark &mark = marks_[slot];
    mark.is_listed = mark.install != kNone;
    return !mark.is_listed;
  });
  return occupied_;
}

void Marking::set_candidate(PackageRef version) {
  Mark &mark = at(catalog_.slot_of(version));
  if (mark.candidate == version) return;
  if (mark.is_install && mark.install == mark.candidate) mark.install = version;
  mark.candidate = version;
}

void Marking::hold(SlotId slot) {
  Mark &mark = at(slot);
  mark.is_held = true;
  mark.is_protected = true;
}

bool Marking::keep(SlotId slot, bool by_user) {
  Mark &mark = at(slot);
  if (!by_user && mark.is_install && mark.is_protected) return false;
  mark.is_install = false;
  mark.install = mark.current;
  return true;
}

bool Marking::is_met(const Alternative &alternative) {
  return std::any_of(alternative.targets.begin(), alternative.targets.end(), [this](PackageRef version) {
    SlotId slot = catalog_.slot_of(version);
    return slot != kNone && at(slot).install == version;
  });
}

bool Marking::holds(const Dependency &dependency) {
  bool is_met_once = std::any_of(dependency.alternatives.begin(), dependency.alternatives.end(),
                                 [this](const Alternative &alternative) { return is_met(alternative); });
  return is_met_once != is_negative(dependency.kind);
}

bool Marking::held_before(const Dependency &dependency) {
  bool is_met_once = false;
  for (const Alternative &alternative : dependency.alternatives) {
    for (PackageRef version : alternative.targets) {
      is_met_once = is_met_once || std::binary_search(installed_.begin(), installed_.end(), version);
    }
  }
  return is_met_once != is_negative(dependency.kind);
}

bool Marking::is_important(const Dependency &dependency) const noexcept {
  return is_critical(dependency.kind) || (dependency.kind == DependencyKind::recommends && policy_.install_recommends);
}

bool Marking::is_broken(SlotId slot) {
  PackageRef version = at(slot).install;
  if (version == kNone) return false;
  const std::vector<Dependency> &all = catalog_.dependencies(version);
  return std::any_of(all.begin(), all.end(), [this](const Dependency &dependency) {
    return is_critical(dependency.kind) && !holds(dependency);
  });
}

bool Marking::was_broken(SlotId slot) {
  PackageRef version = at(slot).current;
  if (version == kNone) return false;
  const std::vector<Dependency> &all = catalog_.dependencies(version);
  return std::any_of(all.begin(), all.end(), [this](const Dependency &dependency) {
    return is_critical(dependency.kind) && !held_before(dependency);
  });
}

bool Marking::is_policy_broken(SlotId slot) {
  PackageRef version = at(slot).install;
  if (version == kNone) return false;
  const std::vector<Dependency> &all = catalog_.dependencies(version);
  return std::any_of(all.begin(), all.end(),
                     [this](const Dependency &dependency) { return is_important(dependency) && !holds(dependency); });
}

std::size_t Marking::broken_count() {
  std::vector<SlotId> slots = occupied();
  return static_cast<std::size_t>(
      std::count_if(slots.begin(), slots.end(), [this](SlotId slot) { return is_broken(slot); }));
}

bool Marking::may_install(SlotId slot, unsigned depth, bool by_user) {
  if (depth > kDeepest) return false;
  const Mark &mark = at(slot);
  if (by_user || mark.is_install) return true;
  bool only_propagates = mark.is_protected && mark.candidate != kNone && mark.candidate == mark.current;
  return only_propagates || (!mark.is_protected && !mark.is_held);
}

/// Multi-Arch: same packages must be of one version on all architectures.
bool Marking::is_in_sync(SlotId slot, bool by_user) {
  const Mark &mark = at(slot);
  if (by_user || (mark.is_install && mark.install == mark.candidate) || mark.candidate == mark.current) return true;
  const debian::BinaryPackage &wanted = catalog_.index().at(mark.candidate);
  if (wanted.multi_arch != debian::MultiArch::same) return true;
  for (SlotId other : catalog_.group(wanted.name)) {
    const Mark &sibling = at(other);
    if (other == slot || sibling.current == kNone || sibling.candidate == kNone) continue;
    const debian::BinaryPackage &theirs = catalog_.index().at(sibling.candidate);
    if (theirs.multi_arch == debian::MultiArch::same && theirs.version != wanted.version) return false;
  }
  return true;
}

/// Whether each needed relation has at least one candidate. If not the candidate is given up for good, so that nothing
/// tries it again.
bool Marking::is_satisfiable(SlotId slot) {
  Mark &mark = at(slot);
  if (mark.candidate == mark.current) return true;
  for (const Dependency &dependency : catalog_.dependencies(mark.candidate)) {
    if (!is_critical(dependency.kind) || is_negative(dependency.kind)) continue;
    bool is_possible =
        std::any_of(dependency.alternatives.begin(), dependency.alternatives.end(), [&](const auto &each) {
          return std::any_of(each.targets.begin(), each.targets.end(), [&](PackageRef version) {
            SlotId target = catalog_.slot_of(version);
            return target != kNone && (at(target).install == version || at(target).candidate == version);
          });
        });
    if (is_possible) continue;
    if (!mark.is_protected) {
      mark.candidate = mark.current;
      mark.is_install = false;
    }
    return false;
  }
  return true;
}

void Marking::change(SlotId slot, bool by_user) {
  Mark &mark = at(slot);
  if (mark.is_protected && mark.install == mark.candidate) return;
  bool is_new = mark.current == kNone;
  if (!mark.is_listed) occupied_.push_back(slot);
  mark.is_listed = true;
  mark.install = mark.candidate;
  mark.is_install = mark.candidate != mark.current;
  if (is_new) mark.is_automatic = !by_user;
}

void Marking::discard_candidate(SlotId slot) { at(slot).candidate = at(slot).install; }

void Marking::discard_install(SlotId slot) {
  Mark &mark = at(slot);
  mark.install = mark.current;
  mark.is_install = false;
  discard_candidate(slot);
}

bool Marking::install_for(SlotId slot, bool with_dependencies, unsigned depth, PackageRef cause, bool is_recommended) {
  Mark &mark = at(slot);
  if (mark.cause == kNone && !mark.is_install) {
    mark.cause = cause;
    mark.is_recommended = is_recommended;
  }
  return install(slot, with_dependencies, depth, false);
}

bool Marking::install(SlotId slot, bool with_dependencies, unsigned depth, bool by_user) {
  Mark &mark = at(slot);
  if (!may_install(slot, depth, by_user) || mark.candidate == kNone) return false;
  if (!mark.is_protected && (mark.candidate == mark.current || mark.is_install) && !is_policy_broken(slot)) return true;
  if (!is_in_sync(slot, by_user) || (with_dependencies && !is_satisfiable(slot))) return false;
  if (by_user) change(slot, true);

  Work work;
  work.slot = slot;
  work.version = mark.candidate;
  work.depth = depth;
  work.by_user = by_user;
  work.was_protected = mark.is_protected;
  bool is_fine = true;
  if (with_dependencies) {
    collect(mark.candidate, mark.is_protected, work);
    is_fine = clear_conflicts(work);
    if (!is_fine && work.stops_early()) return false;
    collect_dependents(slot, work);
  }
  if (!by_user) change(slot, false);
  if (!with_dependencies) return true;

  mark.is_protected = true;  // while its needs are seen to nobody may take it away again
  upgrade_siblings(slot, work);
  is_fine = upgrade_conflicts(work) && is_fine;
  if (is_fine || !work.stops_early()) is_fine = install_dependencies(work) && is_fine;
  mark.is_protected = work.was_protected;
  if (!is_fine && work.stops_early()) discard_install(slot);
  return is_fine;
}

/// Recommends that the installed version had as well and that went without are not made good for later: apt follows
/// those of an installed package only where they are new, or were met until now.
bool Marking::is_refused_before(const Dependency &recommendation, PackageRef current) {
  if (current == kNone || recommendation.kind != DependencyKind::recommends) return false;
  const std::string_view name = recommendation.alternatives.front().relation.name;
  bool is_known = false;
  for (const Dependency &former : catalog_.dependencies(current)) {
    if (former.kind != DependencyKind::recommends) continue;
    auto names_it = [&](const Alternative &alternative) { return alternative.relation.name == name; };
    if (std::none_of(former.alternatives.begin(), former.alternatives.end(), names_it)) continue;
    if (held_before(former)) return false;
    is_known = true;
  }
  return is_known;
}

void Marking::collect(PackageRef version, bool is_protected, Work &work) {
  PackageRef current = at(work.slot).current;
  for (const Dependency &dependency : catalog_.dependencies(version)) {
    if (!is_important(dependency) || (!is_protected && holds(dependency))) continue;
    if (is_refused_before(dependency, current)) continue;
    (is_negative(dependency.kind) ? work.conflicts : work.needs).push_back(&dependency);
  }
}

/// Takes the mark from everything the package conflicts with. False when something would not go.
bool Marking::clear_conflicts(Work &work) {
  bool is_fine = true;
  for (const Dependency *dependency : work.conflicts) {
    if (!clear_candidates(*dependency, work)) is_fine = false;
    if (!is_fine && work.stops_early()) return false;
    if (!clear_installed(*dependency, work)) is_fine = false;
    if (!is_fine && work.stops_early()) return false;
  }
  return is_fine;
}

bool Marking::clear_candidates(const Dependency &dependency, Work &work) {
  bool is_fine = true;
  for (PackageRef version : solutions(dependency)) {
    SlotId slot = catalog_.slot_of(version);
    Mark &mark = at(slot);
    if (mark.candidate != version) continue;
    bool is_removal = mark.current == version;  // apt would remove it
    if (is_removal || (mark.is_install && !keep(slot))) {
      is_fine = false;
    } else if (work.was_protected) {
      discard_candidate(slot);
      if (mark.current == kNone) mark.is_protected = true;
    } else {
      work.bad_candidates.push_back(slot);
    }
    if (!is_fine && work.stops_early()) return false;
  }
  return is_fine;
}

bool Marking::clear_installed(const Dependency &dependency, Work &work) {
  for (const Alternative &alternative : dependency.alternatives) {
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone || at(slot).current != version) continue;
      const Mark &mark = at(slot);
      if (mark.candidate == version) continue;  // seen to with the candidates
      if (mark.candidate == kNone || contains(work.bad_candidates, slot)) return false;
      work.upgrades.push_back(slot);
    }
  }
  return true;
}

/// When an installed package changes its version, those that relied on the old one must follow.
void Marking::collect_dependents(SlotId slot, Work &work) {
  PackageRef current = at(slot).current;
  if (current == kNone || current == work.version) return;
  for (SlotId dependent : installed_slots_) {
    if (at(dependent).is_install || dependent == slot) continue;
    for (const Dependency &dependency : catalog_.dependencies(at(dependent).current)) {
      if (!is_important(dependency) || is_negative(dependency.kind)) continue;
      for (const Alternative &alternative : dependency.alternatives) {
        if (alternative.relation.name != catalog_.slot(slot).name || !contains(alternative.targets, current)) continue;
        if (!contains(alternative.targets, work.version) && !contains(work.upgrades, dependent)) {
          work.upgrades.push_back(dependent);
        }
      }
    }
  }
}

bool Marking::upgrade_conflicts(Work &work) {
  bool is_fine = true;
  for (SlotId slot : work.upgrades) {
    if (at(slot).is_install || install_for(slot, true, work.depth + 1, work.version, false)) continue;
    is_fine = false;
    if (work.stops_early()) break;
  }
  return is_fine;
}

/// The version of `slot` that was built from the same source in the same version, kNone if there is none.
PackageRef Marking::source_mate(SlotId slot, PackageRef version) {
  auto source_of = [this](PackageRef package) {
    const debian::BinaryPackage &binary = catalog_.index().at(package);
    std::string source(binary.stanza.get("Source"));
    if (source.empty()) source = binary.name;
    if (source.find('(') == std::string::npos) source += " (" + std::string(binary.version) + ")";
    return source;
  };
  std::string wanted = source_of(version);
  for (PackageRef other : catalog_.slot(slot).versions) {
    if (source_of(other) == wanted) return other;
  }
  return kNone;
}

/// Installed packages of the same source follow to its version (APT::Get::Upgrade-By-Source-Package).
void Marking::upgrade_siblings(SlotId slot, Work &work) {
  std::vector<SlotId> siblings;
  for (SlotId other : installed_slots_) {
    const Mark &mark = at(other);
    if (other == slot || mark.candidate == mark.current || mark.candidate == kNone) continue;
    if (mark.is_install && mark.install == mark.candidate) continue;
    if (source_mate(other, work.version) == mark.candidate) siblings.push_back(other);
  }
  for (SlotId other : siblings) install_for(other, false, work.depth + 1, work.version, false);
  for (SlotId other : siblings) install_for(other, true, work.depth + 1, work.version, false);
}

bool Marking::install_dependencies(Work &work) {
  bool is_fine = true;
  for (const Dependency *dependency : work.needs) {
    bool is_needed = is_critical(dependency->kind);
    if (holds(*dependency)) {
      if (work.was_protected && is_needed && !protect_only_solution(*dependency, work)) is_fine = false;
      continue;
    }
    if (install_one_of(*dependency, work) || !is_needed) continue;
    is_fine = false;
    if (work.stops_early()) break;
  }
  return is_fine;
}

/// What a protected package cannot do without is protected too.
bool Marking::protect_only_solution(const Dependency &dependency, Work &work) {
  std::vector<PackageRef> possible;
  for (const Alternative &alternative : dependency.alternatives) {
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone) continue;
      const Mark &mark = at(slot);
      if ((mark.candidate == version || mark.current == version) && is_open_to(mark) && !contains(possible, version)) {
        possible.push_back(version);
      }
    }
  }
  if (possible.size() != 1) return true;
  SlotId slot = catalog_.slot_of(possible.front());
  if (at(slot).is_protected) return true;
  at(slot).is_protected = true;
  return install_for(slot, true, work.depth + 1, work.version, false);
}

bool Marking::install_one_of(const Dependency &dependency, Work &work) {
  std::vector<PackageRef> possible = solutions(dependency);
  bool is_recommended = dependency.kind == DependencyKind::recommends;
  for (PackageRef version : possible) {
    SlotId slot = catalog_.slot_of(version);
    if (at(slot).candidate != version) continue;
    if (work.was_protected && !is_recommended && possible.size() == 1) {
      if (!install_for(slot, false, work.depth + 1, work.version, is_recommended)) continue;
      at(slot).is_protected = true;
    }
    if (install_for(slot, true, work.depth + 1, work.version, is_recommended)) return true;
  }
  return false;
}

bool Marking::is_open_to(const Mark &mark) const noexcept {
  return !(mark.is_protected && !mark.is_install && mark.current == kNone);
}

}  // namespace debroot::resolve
