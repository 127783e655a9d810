#include "resolve/order_list.hpp"

#include <algorithm>
#include <utility>

namespace debroot::resolve {
namespace {

constexpr int kEssentialScore = 200;
constexpr int kImmediateScore = 10;
constexpr int kPreDependsScore = 50;

int priority_score(debian::Priority priority) noexcept {
  switch (priority) {
    case debian::Priority::required:
      return 5;
    case debian::Priority::important:
      return 4;
    case debian::Priority::standard:
      return 3;
    case debian::Priority::optional:
      return 1;
    case debian::Priority::extra:
      break;
  }
  return 0;
}

/// Which relations of a visited package are followed.
enum class Rule {
  none,
  critical,         ///< Pre-Depends and conflicts
  all_critical,     ///< Depends as well
  pre_depends,      ///< Pre-Depends; Depends below the first level and for immediate packages
  configure,        ///< Depends
  installed_users,  ///< installed packages that would break
};

class OrderList {
 public:
  explicit OrderList(Change &change) : change_(change), catalog_(change.catalog()) {
    for (SlotId slot : change.changed()) {
      if (change.current(slot) != kNone) upgraded_.push_back(slot);
    }
  }

  std::vector<SlotId> run() {
    list_ = change_.changed();
    std::sort(list_.begin(), list_.end(), [this](SlotId a, SlotId b) { return goes_before(a, b); });
    pass(Rule::critical, Rule::configure, Rule::installed_users);
    pass(Rule::critical, Rule::none, Rule::installed_users);
    pass(Rule::critical, Rule::none, Rule::none);
    pass(Rule::pre_depends, Rule::none, Rule::none);
    return list_;
  }

 private:
  enum class Colour : std::uint8_t { white, grey, black };

  int score(SlotId slot) {
    const Slot &data = catalog_.slot(slot);
    PackageRef version = change_.install(slot);
    int score = priority_score(catalog_.index().at(version).priority);
    if (data.is_essential) score += kEssentialScore;
    if (change_.is_immediate(slot)) score += kImmediateScore;
    const std::vector<Dependency> &all = catalog_.dependencies(version);
    bool has_pre_depends = std::any_of(all.begin(), all.end(), [](const Dependency &dependency) {
      return dependency.kind == DependencyKind::pre_depends;
    });
    return has_pre_depends ? score + kPreDependsScore : score;
  }

  bool goes_before(SlotId a, SlotId b) {
    int score_a = score(a);
    int score_b = score(b);
    if (score_a != score_b) return score_a > score_b;
    const Slot &x = catalog_.slot(a);
    const Slot &y = catalog_.slot(b);
    return x.name != y.name ? x.name < y.name : x.architecture < y.architecture;
  }

  void pass(Rule primary, Rule secondary, Rule reverse) {
    primary_ = primary;
    secondary_ = secondary;
    reverse_ = reverse;
    colours_.assign(colours_.size(), Colour::white);
    depth_ = 0;
    std::vector<SlotId> old = std::exchange(list_, {});
    for (SlotId slot : old) visit(slot);
  }

  Colour &colour(SlotId slot) {
    if (slot >= colours_.size()) colours_.resize(slot + 1, Colour::white);
    return colours_[slot];
  }

  void visit(SlotId slot) {
    if (!change_.is_changed(slot) || colour(slot) != Colour::white) return;
    colour(slot) = Colour::grey;
    ++depth_;
    Rule former = primary_;
    if (change_.is_immediate(slot) && primary_ != Rule::pre_depends) primary_ = Rule::all_critical;
    follow(primary_, slot);
    follow_users(primary_, slot);
    follow_users(reverse_, slot);
    follow(secondary_, slot);
    colour(slot) = Colour::black;
    list_.push_back(slot);
    primary_ = former;
    --depth_;
  }

  /// Whether a rule looks at a relation of `parent`.
  bool is_followed(Rule rule, DependencyKind kind, SlotId parent) const {
    switch (rule) {
      case Rule::critical:
        return kind == DependencyKind::pre_depends || is_negative(kind);
      case Rule::all_critical:
        return is_critical(kind);
      case Rule::pre_depends:
        if (kind == DependencyKind::depends) return depth_ != 1 || change_.is_immediate(parent);
        return kind == DependencyKind::pre_depends;
      case Rule::configure:
        return kind == DependencyKind::depends;
      default:
        return false;
    }
  }

  void follow(Rule rule, SlotId slot) {
    if (rule == Rule::none || rule == Rule::installed_users) return;
    PackageRef version = change_.install(slot);
    for (const Dependency &dependency : catalog_.dependencies(version)) {
      if (!is_followed(rule, dependency.kind, slot)) continue;
      for (const Alternative &alternative : dependency.alternatives) {
        if (rule == Rule::configure) {
          visit_targets(dependency.kind, alternative);
        } else {
          follow_critical(rule, slot, dependency, alternative);
        }
      }
    }
  }

  void follow_critical(Rule rule, SlotId slot, const Dependency &dependency, const Alternative &alternative) {
    SlotId named = change_.named_target(change_.install(slot), alternative);
    bool is_pending = named != kNone && colour(named) == Colour::grey;
    bool is_pre_depends = dependency.kind == DependencyKind::pre_depends;
    if (is_met(slot, dependency.kind, alternative, false)) {
      // A met relation matters only as part of a loop.
      if (!is_pending || (rule != Rule::pre_depends && !is_pre_depends)) return;
    }
    if (named != kNone && colour(named) != Colour::white) return;
    Rule former = primary_;
    if (rule == Rule::critical && is_pre_depends) primary_ = Rule::all_critical;
    visit_targets(dependency.kind, alternative);
    primary_ = former;
  }

  void visit_targets(DependencyKind kind, const Alternative &alternative) {
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone || !change_.is_changed(slot)) continue;
      if (version == (is_negative(kind) ? change_.current(slot) : change_.install(slot))) visit(slot);
    }
  }

  /// Whether the relation holds once all that was visited so far is unpacked. Breaks never do for apt's purpose here.
  bool is_met(SlotId parent, DependencyKind kind, const Alternative &alternative, bool is_reverse) {
    for (PackageRef version : alternative.targets) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone) continue;
      bool is_there = colour(slot) == Colour::black || (colour(slot) == Colour::grey && is_reverse);
      if (version != (is_there ? change_.install(slot) : change_.current(slot))) continue;
      if (is_negative(kind)) return false;
      // an older version of the package itself is gone by then
      if (slot == parent && change_.install(slot) != version) continue;
      return true;
    }
    return kind == DependencyKind::conflicts;
  }

  /// Installed packages that are replaced as well come first when they would break meanwhile.
  void follow_users(Rule rule, SlotId slot) {
    if (rule == Rule::none || rule == Rule::configure || rule == Rule::pre_depends) return;
    PackageRef version = change_.install(slot);
    for (SlotId user : upgraded_) {
      if (user == slot || colour(user) != Colour::white) continue;
      for (const Dependency &dependency : catalog_.dependencies(change_.current(user))) {
        bool matters =
            rule == Rule::installed_users ? is_critical(dependency.kind) : dependency.kind == DependencyKind::conflicts;
        if (!matters) continue;
        for (const Alternative &alternative : dependency.alternatives) {
          const std::vector<PackageRef> &targets = alternative.targets;
          bool is_about = alternative.relation.name == catalog_.slot(slot).name ||
                          std::find(targets.begin(), targets.end(), version) != targets.end();
          if (is_about && !is_met(slot, dependency.kind, alternative, true)) visit(user);
        }
      }
    }
  }

  Change &change_;
  Catalog &catalog_;
  std::vector<SlotId> upgraded_;
  std::vector<SlotId> list_;
  std::vector<Colour> colours_;
  Rule primary_ = Rule::none;
  Rule secondary_ = Rule::none;
  Rule reverse_ = Rule::none;
  unsigned depth_ = 0;
};

}  // namespace

Change::Change(Catalog &catalog, const std::vector<PackageRef> &chosen, const std::vector<PackageRef> &installed)
    : catalog_(catalog) {
  for (PackageRef version : installed) {
    SlotId slot = catalog_.slot_of(version);
    if (slot == kNone) continue;
    set(before_, slot, version);
    set(after_, slot, version);
  }
  for (PackageRef version : chosen) {
    SlotId slot = catalog_.slot_of(version);
    if (slot == kNone) continue;
    set(after_, slot, version);
    if (is_changed(slot)) changed_.push_back(slot);
  }
  std::vector<PackageRef> roots(installed.begin(), installed.end());
  roots.insert(roots.end(), chosen.begin(), chosen.end());
  for (PackageRef version : roots) {
    SlotId slot = catalog_.slot_of(version);
    if (slot == kNone || !catalog_.slot(slot).is_essential) continue;
    if (immediate_.size() <= slot) immediate_.resize(slot + 1);
    immediate_[slot] = true;
    spread_immediate(version);
  }
}

void Change::set(std::vector<PackageRef> &versions, SlotId slot, PackageRef version) {
  if (versions.size() <= slot) versions.resize(slot + 1, kNone);
  versions[slot] = version;
}

SlotId Change::named_target(PackageRef parent, const Alternative &alternative) {
  if (!alternative.relation.architecture.empty()) return kNone;
  std::size_t architecture = catalog_.slot(catalog_.slot_of(parent)).architecture;
  return catalog_.find(alternative.relation.name, architecture).value_or(kNone);
}

void Change::spread_immediate(PackageRef version) {
  for (const Dependency &dependency : catalog_.dependencies(version)) {
    if (dependency.kind > DependencyKind::depends) continue;
    for (const Alternative &alternative : dependency.alternatives) {
      SlotId slot = named_target(version, alternative);
      if (slot == kNone || is_immediate(slot)) continue;
      if (immediate_.size() <= slot) immediate_.resize(slot + 1);
      immediate_[slot] = true;
      if (install(slot) != kNone) spread_immediate(install(slot));
      if (current(slot) != kNone && current(slot) != install(slot)) spread_immediate(current(slot));
    }
  }
}

std::vector<SlotId> order_for_unpack(Change &change) { return OrderList(change).run(); }

}  // namespace debroot::resolve
