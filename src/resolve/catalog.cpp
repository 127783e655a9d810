#include "resolve/catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "debroot/error.hpp"

namespace debroot::resolve {
namespace {

using debian::MultiArch;
using debian::Relation;

constexpr std::size_t kNoArchitecture = std::numeric_limits<std::size_t>::max();

bool is_any(const Relation &relation) noexcept { return relation.architecture == "any"; }
/// ":native" and ":amd64" want one architecture, whoever asks.
bool is_specific(const Relation &relation) noexcept { return !relation.architecture.empty() && !is_any(relation); }

bool has_flag(const debian::BinaryPackage &package, std::string_view field) {
  return package.stanza.get(field) == "yes";
}

}  // namespace

Catalog::Catalog(const debian::PackageIndex &index, std::vector<std::string> architectures)
    : index_(index), architectures_(std::move(architectures)), slot_of_(index.packages().size(), kNone) {}

std::optional<std::size_t> Catalog::architecture_number(std::string_view name) const noexcept {
  if (name == "all" || name == "native") return 0;
  auto found = std::find(architectures_.begin(), architectures_.end(), name);
  if (found == architectures_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - architectures_.begin());
}

std::size_t Catalog::architecture_of(PackageRef package) const {
  if (package == kNone) return 0;
  return architecture_number(index_.at(package).architecture).value_or(kNoArchitecture);
}

const std::vector<SlotId> &Catalog::group(std::string_view name) {
  if (auto known = groups_.find(name); known != groups_.end()) return known->second;
  static const std::vector<SlotId> kEmpty;
  std::span<const PackageRef> refs = index_.named(name);
  if (refs.empty()) return kEmpty;
  std::vector<SlotId> ids;
  for (std::size_t architecture = 0; architecture < architectures_.size(); ++architecture) {
    Slot slot;
    slot.name = index_.at(refs.front()).name;
    slot.architecture = architecture;
    for (PackageRef ref : refs) {
      if (architecture_of(ref) == architecture) slot.versions.push_back(ref);
    }
    if (slot.versions.empty()) continue;
    std::stable_sort(slot.versions.begin(), slot.versions.end(), [this](PackageRef a, PackageRef b) {
      return debian::compare_versions(index_.at(a).version, index_.at(b).version) > 0;
    });
    for (PackageRef ref : slot.versions) {
      const debian::BinaryPackage &package = index_.at(ref);
      slot.is_essential = slot.is_essential || package.is_essential;
      slot.is_protected = slot.is_protected || has_flag(package, "Protected") || has_flag(package, "Important");
      slot_of_[ref] = static_cast<SlotId>(slots_.size());
    }
    ids.push_back(static_cast<SlotId>(slots_.size()));
    slots_.push_back(std::move(slot));
  }
  return groups_.emplace(index_.at(refs.front()).name, std::move(ids)).first->second;
}

std::optional<SlotId> Catalog::find(std::string_view name, std::size_t architecture) {
  for (SlotId id : group(name)) {
    if (slots_[id].architecture == architecture) return id;
  }
  return std::nullopt;
}

SlotId Catalog::slot_of(PackageRef package) {
  if (slot_of_[package] == kNone) static_cast<void>(group(index_.at(package).name));
  return slot_of_[package];
}

std::vector<debian::OrGroup> Catalog::parse(PackageRef package, std::string_view field) const {
  try {
    return debian::parse_relations(index_.at(package).stanza.get(field));
  } catch (Error &error) {
    error.frame(fmt::format("reading {} of '{}'", field, to_string(index_.at(package).id())));
    throw;
  }
}

const std::vector<Relation> &Catalog::provides(PackageRef package) {
  auto [place, is_new] = provides_.try_emplace(package);
  if (is_new) {
    for (debian::OrGroup &group : parse(package, "Provides")) {
      place->second.insert(place->second.end(), group.begin(), group.end());
    }
  }
  return place->second;
}

const std::vector<Dependency> &Catalog::dependencies(PackageRef package) {
  if (auto known = dependencies_.find(package); known != dependencies_.end()) return known->second;
  std::vector<Dependency> out;
  add_field(package, "Pre-Depends", DependencyKind::pre_depends, out);
  add_field(package, "Depends", DependencyKind::depends, out);
  add_field(package, "Conflicts", DependencyKind::conflicts, out);
  add_field(package, "Breaks", DependencyKind::breaks, out);
  add_field(package, "Recommends", DependencyKind::recommends, out);
  add_field(package, "Suggests", DependencyKind::suggests, out);
  add_implicit(package, out);
  return dependencies_.emplace(package, std::move(out)).first->second;
}

void Catalog::add_field(PackageRef package, std::string_view field, DependencyKind kind, std::vector<Dependency> &out) {
  bool forbids = is_negative(kind);
  for (const debian::OrGroup &group : parse(package, field)) {
    Dependency dependency;
    dependency.kind = kind;
    for (const Relation &relation : group) {
      dependency.alternatives.push_back({relation, targets(relation, package, forbids)});
      if (forbids) out.push_back(std::exchange(dependency, Dependency{kind, false, {}}));
    }
    if (!dependency.alternatives.empty()) out.push_back(std::move(dependency));
  }
}

void Catalog::add_implicit(PackageRef package, std::vector<Dependency> &out) {
  const debian::BinaryPackage &self = index_.at(package);
  bool is_same = self.multi_arch == MultiArch::same && self.architecture != "all";
  for (SlotId id : group(self.name)) {
    const Slot &other = slots_[id];
    if (other.architecture == architecture_of(package)) continue;
    Alternative alternative{{self.name, architectures_[other.architecture], debian::VersionTest::any, {}}, {}};
    for (PackageRef version : other.versions) {
      if (!is_same || index_.at(version).version != self.version) alternative.targets.push_back(version);
    }
    if (alternative.targets.empty()) continue;
    out.push_back({is_same ? DependencyKind::breaks : DependencyKind::conflicts, true, {std::move(alternative)}});
  }
}

std::size_t Catalog::wanted_architecture(const Relation &relation, PackageRef parent) const {
  if (!is_specific(relation)) return architecture_of(parent);
  return architecture_number(relation.architecture).value_or(kNoArchitecture);
}

void Catalog::add_named(const Relation &relation, PackageRef parent, std::vector<PackageRef> &direct,
                        std::vector<PackageRef> &indirect) {
  std::size_t wanted = wanted_architecture(relation, parent);
  for (SlotId id : group(relation.name)) {
    for (PackageRef version : slots_[id].versions) {
      const debian::BinaryPackage &package = index_.at(version);
      if (!debian::version_satisfies(package.version, relation.test, relation.version)) continue;
      if (is_any(relation)) {
        if (package.multi_arch == MultiArch::allowed) indirect.push_back(version);
      } else if (slots_[id].architecture == wanted) {
        direct.push_back(version);
      } else if (package.multi_arch == MultiArch::foreign && !is_specific(relation)) {
        indirect.push_back(version);
      }
    }
  }
}

void Catalog::add_forbidden(const Relation &relation, PackageRef parent, std::vector<PackageRef> &direct) {
  const debian::BinaryPackage *self = parent == kNone ? nullptr : &index_.at(parent);
  bool is_own_name = self != nullptr && self->name == relation.name;
  if (is_own_name && self->multi_arch == MultiArch::same) return;
  for (SlotId id : group(relation.name)) {
    const Slot &slot = slots_[id];
    if (is_own_name && slot.architecture == architecture_of(parent)) continue;
    if (is_specific(relation) && slot.architecture != wanted_architecture(relation, parent)) continue;
    for (PackageRef version : slot.versions) {
      if (is_any(relation) && index_.at(version).multi_arch != MultiArch::allowed) continue;
      if (debian::version_satisfies(index_.at(version).version, relation.test, relation.version)) {
        direct.push_back(version);
      }
    }
  }
}

bool Catalog::provides_for(PackageRef provider, const Relation &provided, const Relation &wanted,
                           std::size_t architecture, bool forbids) const {
  MultiArch multi_arch = index_.at(provider).multi_arch;
  if (is_any(provided)) return is_any(wanted);
  if (is_any(wanted)) return provided.architecture.empty() && multi_arch == MultiArch::allowed;
  if (!provided.architecture.empty()) return architecture_number(provided.architecture) == architecture;
  if (is_specific(wanted)) return architecture_of(provider) == architecture;
  return forbids || multi_arch == MultiArch::foreign || architecture_of(provider) == architecture;
}

void Catalog::add_providers(const Relation &relation, PackageRef parent, bool forbids,
                            std::vector<PackageRef> &indirect) {
  std::size_t wanted = wanted_architecture(relation, parent);
  for (PackageRef provider : index_.providing(relation.name)) {
    const debian::BinaryPackage &package = index_.at(provider);
    if (architecture_of(provider) == kNoArchitecture) continue;
    // Policy section 7.5: a package that provides what it conflicts with conflicts with the others that do.
    if (forbids && parent != kNone && package.name == index_.at(parent).name) continue;
    for (const Relation &provided : provides(provider)) {
      if (provided.name != relation.name || !provides_for(provider, provided, relation, wanted, forbids)) continue;
      // Policy section 7.5: only a versioned Provides can satisfy a versioned relation.
      bool fits =
          relation.test == debian::VersionTest::any ||
          (!provided.version.empty() && debian::version_satisfies(provided.version, relation.test, relation.version));
      if (fits) indirect.push_back(provider);
    }
  }
}

std::vector<PackageRef> Catalog::targets(const Relation &relation, PackageRef parent, bool forbids) {
  std::vector<PackageRef> direct;
  std::vector<PackageRef> indirect;
  if (forbids) {
    add_forbidden(relation, parent, direct);
  } else {
    add_named(relation, parent, direct, indirect);
  }
  add_providers(relation, parent, forbids, indirect);
  std::sort(indirect.begin(), indirect.end(), std::greater<>());
  for (PackageRef version : indirect) {
    if (std::find(direct.begin(), direct.end(), version) == direct.end()) direct.push_back(version);
  }
  return direct;
}

std::vector<PackageRef> Catalog::stand_ins(std::string_view name, std::size_t architecture) {
  const Relation wanted{name, {}, debian::VersionTest::any, {}};
  std::vector<PackageRef> out;
  for (SlotId id : group(name)) {
    for (PackageRef version : slots_[id].versions) {
      bool is_foreign = index_.at(version).multi_arch == MultiArch::foreign;
      if (slots_[id].architecture != architecture && is_foreign) out.push_back(version);
    }
  }
  for (PackageRef provider : index_.providing(name)) {
    if (architecture_of(provider) == kNoArchitecture) continue;
    for (const Relation &provided : provides(provider)) {
      if (provided.name == name && provides_for(provider, provided, wanted, architecture, false))
        out.push_back(provider);
    }
  }
  return out;
}

}  // namespace debroot::resolve
