/// Which versions can meet a relation, in the order apt would try them, and the switch of candidates behind
/// `pkg/release`.
#include <algorithm>

#include "resolve/marking.hpp"

namespace debroot::resolve {

std::vector<PackageRef> Marking::solutions(const Dependency &dependency) {
  std::vector<PackageRef> upgrades;
  std::vector<PackageRef> additions;
  for (const Alternative &alternative : dependency.alternatives) {
    std::vector<PackageRef> versions;
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot != kNone && at(slot).candidate == version) versions.push_back(version);
    }
    if (versions.size() > 1) {
      std::stable_sort(versions.begin(), versions.end(),
                       [&](PackageRef a, PackageRef b) { return goes_before(a, b, alternative.relation); });
    }
    for (PackageRef version : versions) {
      (at(catalog_.slot_of(version)).current != kNone ? upgrades : additions).push_back(version);
    }
  }
  upgrades.insert(upgrades.end(), additions.begin(), additions.end());
  upgrades.erase(std::unique(upgrades.begin(), upgrades.end()), upgrades.end());
  if (!is_negative(dependency.kind)) {
    std::erase_if(upgrades, [this](PackageRef version) { return !is_open_to(at(catalog_.slot_of(version))); });
  }
  return upgrades;
}

bool Marking::has_installed_sibling(SlotId slot) {
  for (SlotId other : catalog_.group(catalog_.slot(slot).name)) {
    if (at(other).current != kNone) return true;
  }
  return false;
}

/// Which of two candidates that meet one alternative apt prefers (CompareProviders).
bool Marking::goes_before(PackageRef a, PackageRef b, const debian::Relation &wanted) {
  SlotId slot_a = catalog_.slot_of(a);
  SlotId slot_b = catalog_.slot_of(b);
  const Mark &mark_a = at(slot_a);
  const Mark &mark_b = at(slot_b);
  if (mark_a.is_protected != mark_b.is_protected) return mark_a.is_protected;
  const debian::BinaryPackage &package_a = catalog_.index().at(a);
  const debian::BinaryPackage &package_b = catalog_.index().at(b);
  bool beside_a = package_a.multi_arch == debian::MultiArch::same && has_installed_sibling(slot_a);
  bool beside_b = package_b.multi_arch == debian::MultiArch::same && has_installed_sibling(slot_b);
  if (beside_a != beside_b) return beside_a;
  bool installed_a = mark_a.current != kNone;
  bool installed_b = mark_b.current != kNone;
  if (installed_a != installed_b) return installed_a;
  // ":any" names a package of its own to apt, so nothing is of its name.
  bool named_a = wanted.architecture.empty() && package_a.name == wanted.name;
  bool named_b = wanted.architecture.empty() && package_b.name == wanted.name;
  if (named_a != named_b) return named_a;
  const Slot &data_a = catalog_.slot(slot_a);
  const Slot &data_b = catalog_.slot(slot_b);
  if (data_a.is_essential != data_b.is_essential) return data_a.is_essential;
  if (data_a.is_protected != data_b.is_protected) return data_a.is_protected;
  if (data_a.architecture != data_b.architecture) return data_a.architecture < data_b.architecture;
  if (package_a.priority != package_b.priority) return package_a.priority < package_b.priority;
  if (slot_a == slot_b) return false;
  return mentions_().of(data_a.name, data_a.architecture) > mentions_().of(data_b.name, data_b.architecture);
}

void Marking::set_candidate_from(PackageRef version, const ReleaseMatch &release) {
  std::vector<PackageRef> changed{version};
  switch_candidates(version, release, changed);
}

/// Whether an alternative is installed, or its candidate would be installable as it is.
bool Marking::is_fine_now(const Dependency &dependency) {
  for (const Alternative &alternative : dependency.alternatives) {
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone) continue;
      if (at(slot).current == version) return true;
      if (at(slot).candidate != version) continue;
      const std::vector<Dependency> &inner = catalog_.dependencies(version);
      if (std::all_of(inner.begin(), inner.end(),
                      [this](const Dependency &each) { return !is_critical(each.kind) || holds(each); })) {
        return true;
      }
    }
  }
  return false;
}

bool Marking::switch_candidates(PackageRef version, const ReleaseMatch &release, std::vector<PackageRef> &changed) {
  set_candidate(version);
  for (const Dependency &dependency : catalog_.dependencies(version)) {
    bool is_needed = dependency.kind <= DependencyKind::depends;
    if (!is_needed && !(dependency.kind == DependencyKind::recommends && is_important(dependency))) continue;
    if (is_fine_now(dependency)) continue;
    if (!switch_dependency(dependency, release, changed) && is_needed) return false;
  }
  return true;
}

/// Tries to meet one relation by a version of `release`; only versioned relations are worth a switch. As in apt, the
/// last alternative stays switched even where something further down cannot be met.
bool Marking::switch_dependency(const Dependency &dependency, const ReleaseMatch &release,
                                std::vector<PackageRef> &changed) {
  for (const Alternative &alternative : dependency.alternatives) {
    if (alternative.relation.test == debian::VersionTest::any) continue;
    for (PackageRef version : alternative.targets) {
      const debian::BinaryPackage &package = catalog_.index().at(version);
      if (package.name != alternative.relation.name || catalog_.slot_of(version) == kNone) continue;
      auto fits = [&](std::uint32_t source) { return release.matches(catalog_.index().sources()[source]); };
      if (std::none_of(package.sources.begin(), package.sources.end(), fits)) continue;
      if (std::find(changed.begin(), changed.end(), version) != changed.end()) return true;
      PackageRef former = at(catalog_.slot_of(version)).candidate;
      changed.push_back(version);
      if (switch_candidates(version, release, changed)) return true;
      if (&alternative == &dependency.alternatives.back()) return false;
      if (former != kNone) set_candidate(former);
      changed.pop_back();
      break;
    }
  }
  return false;
}

}  // namespace debroot::resolve
