/// The package index as the resolver looks at it: packages per architecture with their versions in order, and relations
/// resolved to the versions that satisfy them. Everything is worked out when first asked for and then kept, since a
/// build touches a few hundred of sixty thousand packages.
///
/// Multi-Arch rules (as apt has them): a relation without qualifier means the architecture of the package that carries
/// it ("all" counts as native) or any package marked foreign; ":any" means packages marked allowed; ":native" and
/// ":ARCH" mean that architecture. Conflicts and Breaks mean every architecture. Packages of one name exclude each
/// other across architectures unless marked same, and those must be of one version.
#pragma once

#include <deque>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "debian/package_index.hpp"
#include "debian/relation.hpp"

namespace debroot::resolve {

using debian::PackageRef;

/// A package of one name and architecture, whatever its version; apt calls this a package.
using SlotId = std::uint32_t;

/// No version, or no slot.
inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

struct Slot {
  std::string_view name;
  std::size_t architecture = 0;      ///< position in the catalog's architectures, 0 is native
  std::vector<PackageRef> versions;  ///< highest first
  bool is_essential = false;         ///< some version says Essential: yes
  bool is_protected = false;         ///< some version says Protected: yes (or Important: yes)
};

enum class DependencyKind { pre_depends, depends, conflicts, breaks, recommends, suggests };

[[nodiscard]] constexpr bool is_negative(DependencyKind kind) noexcept {
  return kind == DependencyKind::conflicts || kind == DependencyKind::breaks;
}
/// Whether the kind must hold for a package to work.
[[nodiscard]] constexpr bool is_critical(DependencyKind kind) noexcept { return kind <= DependencyKind::breaks; }

/// One alternative of a relation, and what satisfies it (for a negative one: what it forbids).
struct Alternative {
  debian::Relation relation;
  std::vector<PackageRef> targets;  ///< real versions, highest first, then providers, last read first
};

/// One or-group of a relation field. A negative group has a single alternative.
struct Dependency {
  DependencyKind kind = DependencyKind::depends;
  bool is_implicit = false;  ///< a Multi-Arch rule, not written in the stanza
  std::vector<Alternative> alternatives;
};

class Catalog {
 public:
  /// @param architectures native first. The index must outlive the catalog.
  Catalog(const debian::PackageIndex &index, std::vector<std::string> architectures);

  [[nodiscard]] const debian::PackageIndex &index() const noexcept { return index_; }
  [[nodiscard]] const std::vector<std::string> &architectures() const noexcept { return architectures_; }

  /// Position of an architecture; "all" and "native" are 0, an unknown one is nothing.
  [[nodiscard]] std::optional<std::size_t> architecture_number(std::string_view name) const noexcept;

  /// The slots of a name, native first; empty when no package has that name.
  [[nodiscard]] const std::vector<SlotId> &group(std::string_view name);
  /// The slot of name and architecture, nothing if no package is there.
  [[nodiscard]] std::optional<SlotId> find(std::string_view name, std::size_t architecture);
  [[nodiscard]] const Slot &slot(SlotId id) const { return slots_[id]; }
  [[nodiscard]] std::size_t slot_count() const noexcept { return slots_.size(); }
  /// The slot that holds `package`, kNone when it is of an architecture this catalog does not have.
  [[nodiscard]] SlotId slot_of(PackageRef package);

  /// All relations of a package: Pre-Depends, Depends, Conflicts, Breaks, Recommends, Suggests, then the implicit ones.
  [[nodiscard]] const std::vector<Dependency> &dependencies(PackageRef package);

  /// The versions that satisfy `relation` when `parent` carries it; with a version kNone as parent, nobody's relation
  /// of the native architecture.
  [[nodiscard]] std::vector<PackageRef> targets(const debian::Relation &relation, PackageRef parent, bool is_negative);

  /// What stands in for a package that does not exist itself in that architecture: what provides it there, and packages
  /// of the name marked foreign.
  [[nodiscard]] std::vector<PackageRef> stand_ins(std::string_view name, std::size_t architecture);

 private:
  const std::vector<debian::Relation> &provides(PackageRef package);
  void add_implicit(PackageRef package, std::vector<Dependency> &out);
  void add_field(PackageRef package, std::string_view field, DependencyKind kind, std::vector<Dependency> &out);
  [[nodiscard]] std::vector<debian::OrGroup> parse(PackageRef package, std::string_view field) const;
  void add_named(const debian::Relation &relation, PackageRef parent, std::vector<PackageRef> &direct,
                 std::vector<PackageRef> &indirect);
  void add_forbidden(const debian::Relation &relation, PackageRef parent, std::vector<PackageRef> &direct);
  void add_providers(const debian::Relation &relation, PackageRef parent, bool is_negative,
                     std::vector<PackageRef> &indirect);
  [[nodiscard]] bool provides_for(PackageRef provider, const debian::Relation &provided, const debian::Relation &wanted,
                                  std::size_t architecture, bool is_negative) const;
  [[nodiscard]] std::size_t wanted_architecture(const debian::Relation &relation, PackageRef parent) const;
  [[nodiscard]] std::size_t architecture_of(PackageRef package) const;

  const debian::PackageIndex &index_;
  std::vector<std::string> architectures_;
  std::deque<Slot> slots_;
  std::unordered_map<std::string_view, std::vector<SlotId>> groups_;
  std::vector<SlotId> slot_of_;
  std::unordered_map<PackageRef, std::vector<Dependency>> dependencies_;
  std::unordered_map<PackageRef, std::vector<debian::Relation>> provides_;
};

}  // namespace debroot::resolve
