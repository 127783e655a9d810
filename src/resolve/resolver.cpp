#include "resolve/resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "debroot/error.hpp"
#include "resolve/diagnosis.hpp"
#include "resolve/marking.hpp"
#include "resolve/repair.hpp"
#include "resolve/request.hpp"
#include "resolve/sweep.hpp"

namespace debroot::resolve {
namespace {

std::vector<std::string> all_architectures(const Policy &policy) {
  std::vector<std::string> names{policy.architecture};
  for (const std::string &name : policy.foreign_architectures) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

/// One request on its way.
class Run {
 public:
  explicit Run(Marking &marking) : marking_(marking), catalog_(marking.catalog()) {}

  /// @return nothing when the request cannot be met.
  std::optional<Selection> go(const Wishes &wishes, const std::vector<PackageRef> &files) {
    refuse(wishes.refusals);
    for (const Wish &wish : wishes.installs) ask_for(wish.version, wish.is_from_pattern);
    for (PackageRef file : files) ask_for(file, false);
    for (const Wish &wish : wishes.installs) {
      if (!wish.release.empty()) marking_.set_candidate_from(wish.version, ReleaseMatch(wish.release));
    }
    for (SlotId slot : requested_) marking_.install_requested(slot, true);
    if (!Repair(marking_, requested_).run()) return std::nullopt;
    sweep(marking_);
    verify();
    return report();
  }

 private:
  void refuse(const std::vector<SlotId> &slots) {
    for (SlotId slot : slots) {
      if (marking_.at(slot).current != kNone) {
        throw Error(ErrorKind::usage,
                    fmt::format("cannot leave out '{}': it is part of the essential set", catalog_.slot(slot).name));
      }
      marking_.hold(slot);
    }
  }

  void ask_for(PackageRef version, bool is_from_pattern) {
    SlotId slot = catalog_.slot_of(version);
    marking_.set_candidate(version);
    marking_.at(slot).is_protected = true;
    marking_.install_requested(slot, false);
    requested_.push_back(slot);
    if (is_from_pattern) from_pattern_.insert(slot);
  }

  /// The promise of the module: whatever the way here, nothing needed is missing and nothing conflicts.
  void verify() {
    for (SlotId slot : std::vector<SlotId>(marking_.occupied())) {
      if (!marking_.is_broken(slot)) continue;
      const debian::BinaryPackage &package = catalog_.index().at(marking_.at(slot).install);
      throw Error(ErrorKind::internal, fmt::format("'{}' was selected with unmet relations", to_string(package.id())));
    }
  }

  [[nodiscard]] std::string reason_of(SlotId slot) {
    const Mark &mark = marking_.at(slot);
    if (from_pattern_.contains(slot)) {
      if (catalog_.slot(slot).is_essential) return "essential";
      return fmt::format("priority {}", debian::priority_name(catalog_.index().at(mark.install).priority));
    }
    if (std::find(requested_.begin(), requested_.end(), slot) != requested_.end()) return "requested";
    PackageRef cause = mark.cause;
    bool is_recommended = mark.is_recommended;
    if (cause == kNone || marking_.at(catalog_.slot_of(cause)).install != cause) {
      std::tie(cause, is_recommended) = find_cause(mark.install);
    }
    if (cause == kNone) return "requested";
    return fmt::format("{} by {}", is_recommended ? "recommended" : "needed",
                       to_string(catalog_.index().at(cause).id()));
  }

  /// A selected package with a relation that `version` meets, when the first cause was given up meanwhile.
  std::pair<PackageRef, bool> find_cause(PackageRef version) {
    for (DependencyKind wanted : {DependencyKind::pre_depends, DependencyKind::depends, DependencyKind::recommends}) {
      for (SlotId slot : std::vector<SlotId>(marking_.occupied())) {
        PackageRef parent = marking_.at(slot).install;
        for (const Dependency &dependency : catalog_.dependencies(parent)) {
          if (dependency.kind != wanted || parent == version) continue;
          for (const Alternative &alternative : dependency.alternatives) {
            const std::vector<PackageRef> &targets = alternative.targets;
            if (std::find(targets.begin(), targets.end(), version) == targets.end()) continue;
            return {parent, wanted == DependencyKind::recommends};
          }
        }
      }
    }
    return {kNone, false};
  }

  Selection report() {
    std::vector<SlotId> slots = marking_.occupied();
    std::erase_if(slots, [this](SlotId slot) { return marking_.at(slot).install == marking_.at(slot).current; });
    std::sort(slots.begin(), slots.end(), [this](SlotId a, SlotId b) {
      const Slot &x = catalog_.slot(a);
      const Slot &y = catalog_.slot(b);
      return x.name != y.name ? precedes_in_cache(x.name, y.name) : x.architecture < y.architecture;
    });
    Selection selection;
    for (SlotId slot : slots) {
      const Mark &mark = marking_.at(slot);
      selection.choices.push_back({mark.install, mark.is_automatic, reason_of(slot)});
    }
    for (SlotId slot : requested_) {
      const Mark &mark = marking_.at(slot);
      if (mark.current != kNone && mark.install == mark.current) selection.already_installed.push_back(mark.current);
    }
    return selection;
  }

  Marking &marking_;
  Catalog &catalog_;
  std::vector<SlotId> requested_;
  std::set<SlotId> from_pattern_;
};

}  // namespace

Resolver::Resolver(const debian::PackageIndex &index, Policy policy)
    : index_(index),
      policy_(std::move(policy)),
      architectures_(all_architectures(policy_)),
      priorities_(index_, policy_) {}

Resolver::~Resolver() = default;

const MentionOrder &Resolver::mentions() const {
  std::call_once(is_read_, [this] { mentions_ = std::make_unique<MentionOrder>(index_, architectures_); });
  return *mentions_;
}

Outcome Resolver::install(const Request &request, std::span<const debian::PackageRef> installed) const {
  Catalog catalog(index_, architectures_);
  std::function<const MentionOrder &()> order = [this]() -> const MentionOrder & { return mentions(); };
  Marking marking(catalog, priorities_, policy_, installed, order);
  Wishes wishes = read_items(request.items, marking, policy_, order);
  if (std::optional<Selection> selection = Run(marking).go(wishes, request.files)) return *std::move(selection);

  // Choosing discards candidates on its way, so the reasons are sought from a fresh start.
  Marking fresh(catalog, priorities_, policy_, installed, order);
  std::vector<debian::PackageRef> wanted = request.files;
  for (const Wish &wish : wishes.installs) wanted.push_back(wish.version);
  for (debian::PackageRef version : wanted) fresh.set_candidate(version);
  for (SlotId slot : wishes.refusals) fresh.hold(slot);
  return diagnose(fresh, policy_, wanted, broken_relations(marking));
}

std::optional<debian::PackageRef> Resolver::candidate(std::string_view name, std::string_view architecture) const {
  Catalog catalog(index_, architectures_);
  Marking marking(catalog, priorities_, policy_, {}, {});
  std::optional<std::size_t> number = architecture.empty() ? 0 : catalog.architecture_number(architecture);
  std::optional<SlotId> slot = number ? catalog.find(name, *number) : std::nullopt;
  if (!slot || marking.at(*slot).candidate == kNone) return std::nullopt;
  return marking.at(*slot).candidate;
}

}  // namespace debroot::resolve
