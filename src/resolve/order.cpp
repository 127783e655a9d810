#include "resolve/order.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "debroot/error.hpp"
#include "resolve/order_list.hpp"

namespace debroot::resolve {
namespace {

/// Second half of apt's ordering (pkgPackageManager): walks the list, unpacks each package after its Pre-Depends are
/// configured, and configures immediate ones at once if their Depends let it.
class Planner {
 public:
  explicit Planner(Change &change) : change_(change), catalog_(change.catalog()) {}

  std::vector<DpkgRun> run() {
    std::vector<SlotId> order = order_for_unpack(change_);
    for (SlotId slot : order) {
      if (!is_now(slot)) continue;
      if (unpack(slot, change_.is_immediate(slot))) continue;
      throw Error(ErrorKind::unsatisfiable,
                  fmt::format("cannot find an order to unpack '{}': its Pre-Depends lead back to it",
                              to_string(catalog_.index().at(change_.install(slot)).id())));
    }
    if (!runs_.empty()) runs_.push_back({DpkgRun::Kind::configure_pending, {}});
    return std::move(runs_);
  }

 private:
  /// What has happened to a package so far, and whether an action for it is under way.
  struct Progress {
    bool is_unpacked = false;
    bool is_configured = false;
    bool is_looping = false;
  };

  Progress &at(SlotId slot) {
    if (slot >= progress_.size()) progress_.resize(slot + 1);
    return progress_[slot];
  }
  /// Nothing has been done to the package yet.
  bool is_now(SlotId slot) { return !at(slot).is_unpacked && !at(slot).is_configured; }
  /// `version` is installed and stays untouched so far.
  bool is_ready(SlotId slot, PackageRef version) { return change_.current(slot) == version && is_now(slot); }

  void emit(DpkgRun::Kind kind, SlotId slot) {
    if (runs_.empty() || runs_.back().kind != kind) runs_.push_back({kind, {}});
    runs_.back().packages.push_back(change_.install(slot));
  }

  /// Marks `slot` as being worked on while something else is done for it, so that a way back to it is noticed.
  template <typename Action>
  bool guarded(SlotId slot, bool was_looping, Action action) {
    if (!was_looping) at(slot).is_looping = true;
    bool is_fine = action();
    if (!was_looping) at(slot).is_looping = false;
    return is_fine;
  }

  bool unpack(SlotId slot, bool is_immediate) {
    bool is_loop = at(slot).is_looping;
    if (!prepare_unpack(slot, is_loop)) return false;
    if (is_loop) return true;
    at(slot).is_unpacked = true;
    bool is_same = catalog_.index().at(change_.install(slot)).multi_arch == debian::MultiArch::same;
    if (is_immediate && is_same) {
      if (!unpack_in_lockstep(slot)) return false;
    } else {
      emit(DpkgRun::Kind::unpack, slot);
    }
    if (is_immediate) configure(slot);  // where that is not possible yet it happens later
    return true;
  }

  /// Multi-Arch: same packages change together: first the architectures that are installed, then the new ones.
  bool unpack_in_lockstep(SlotId slot) {
    bool is_installed = change_.current(slot) != kNone;
    if (is_installed) emit(DpkgRun::Kind::unpack, slot);
    if (!unpack_siblings(slot, true)) return false;
    if (!is_installed) emit(DpkgRun::Kind::unpack, slot);
    return unpack_siblings(slot, false);
  }

  bool unpack_siblings(SlotId slot, bool are_installed) {
    for (SlotId other : catalog_.group(catalog_.slot(slot).name)) {
      if (other == slot || !is_now(other) || !change_.is_changed(other)) continue;
      if ((change_.current(other) != kNone) != are_installed) continue;
      if (!unpack(other, false)) return false;
    }
    return true;
  }

  /// Brings about what must be before `slot` may be unpacked: Pre-Depends, and replaced packages out of its way.
  bool prepare_unpack(SlotId slot, bool is_loop) {
    bool is_fine = true;
    bool has_changed = true;
    while (has_changed) {
      has_changed = false;
      for (const Dependency &dependency : catalog_.dependencies(change_.install(slot))) {
        if (dependency.kind == DependencyKind::pre_depends) {
          bool is_met = is_ready_now(dependency);
          if (!is_met && !provide(slot, dependency, is_loop, is_met, has_changed)) return false;
          if (!is_met) is_fine = false;
        } else if (is_negative(dependency.kind)) {
          make_way(slot, dependency, is_loop, has_changed);
        }
      }
    }
    return is_fine;
  }

  bool is_ready_now(const Dependency &dependency) {
    for (const Alternative &alternative : dependency.alternatives) {
      for (PackageRef version : alternative.targets) {
        SlotId other = catalog_.slot_of(version);
        if (other != kNone && is_ready(other, version)) return true;
      }
    }
    return false;
  }

  /// Unpacks and configures one package that meets the Pre-Depends. @return false when that failed badly.
  bool provide(SlotId slot, const Dependency &dependency, bool is_loop, bool &is_met, bool &has_changed) {
    for (const Alternative &alternative : dependency.alternatives) {
      for (PackageRef version : alternative.targets) {
        SlotId other = catalog_.slot_of(version);
        if (other == kNone || change_.install(other) != version || !change_.is_changed(other)) continue;
        if (at(other).is_configured) {
          is_met = true;
          break;
        }
        bool is_unpacked = at(other).is_unpacked;
        if (!is_unpacked && at(other).is_looping && is_loop) continue;
        if (!guarded(slot, is_loop, [&] { return is_unpacked ? configure(other) : unpack(other, true); })) return false;
        is_met = true;
        if (!at(other).is_looping) has_changed = true;
        break;
      }
      if (is_met) break;
    }
    return true;
  }

  /// An installed package that conflicts is replaced first; dpkg deconfigures what that leaves broken for a moment.
  void make_way(SlotId slot, const Dependency &dependency, bool is_loop, bool &has_changed) {
    for (PackageRef version : dependency.alternatives[0].targets) {
      SlotId other = catalog_.slot_of(version);
      if (other == kNone || change_.current(other) != version || !is_now(other) || !change_.is_changed(other)) continue;
      if (at(other).is_looping) continue;
      if (guarded(slot, is_loop, [&] { return unpack(other, false); })) has_changed = true;
    }
  }

  using Needs = std::vector<const Dependency *>;

  bool configure(SlotId slot) {
    bool is_loop = at(slot).is_looping;
    Needs needs;
    bool is_met = true;
    if (!unpack_needs(slot, is_loop, needs) || !configure_needs(slot, is_loop, needs, is_met)) return false;
    if (!is_met) return false;
    if (is_loop) return true;
    if (at(slot).is_configured) return false;
    emit(DpkgRun::Kind::configure, slot);
    at(slot).is_unpacked = false;
    at(slot).is_configured = true;
    return configure_siblings(slot);
  }

  bool configure_siblings(SlotId slot) {
    bool is_same = catalog_.index().at(change_.install(slot)).multi_arch == debian::MultiArch::same;
    if (!is_same || change_.is_immediate(slot)) return true;
    for (SlotId other : catalog_.group(catalog_.slot(slot).name)) {
      if (other != slot && at(other).is_unpacked && !configure(other)) return false;
    }
    return true;
  }

  /// Unpacks what is needed and still packed. Collects the relations that wait for something to be configured.
  bool unpack_needs(SlotId slot, bool is_loop, Needs &needs) {
    bool has_changed = true;
    while (has_changed) {
      has_changed = false;
      for (const Dependency &dependency : catalog_.dependencies(change_.install(slot))) {
        if (dependency.kind > DependencyKind::depends || is_ready_now(dependency)) continue;
        bool is_met = false;
        if (!is_loop && !unpack_one(slot, dependency, is_met, has_changed)) return false;
        if (!is_met) needs.push_back(&dependency);
      }
    }
    return true;
  }

  bool unpack_one(SlotId slot, const Dependency &dependency, bool &is_met, bool &has_changed) {
    for (const Alternative &alternative : dependency.alternatives) {
      for (PackageRef version : alternative.targets) {
        SlotId other = catalog_.slot_of(version);
        if (other == kNone || change_.install(other) != version || !change_.is_changed(other) || !is_now(other))
          continue;
        if (!guarded(slot, false, [&] { return unpack(other, true); })) return false;
        is_met = true;
        if (!at(other).is_looping) has_changed = true;
        break;
      }
      if (is_met) break;
    }
    return true;
  }

  /// Configures what is needed and unpacked. As in apt the last relation alone decides whether all is well.
  bool configure_needs(SlotId slot, bool is_loop, const Needs &needs, bool &is_met) {
    bool has_changed = !needs.empty();
    while (has_changed) {
      has_changed = false;
      for (const Dependency *dependency : needs) {
        is_met = false;
        if (!configure_one(slot, *dependency, is_loop, is_met, has_changed)) return false;
      }
    }
    return true;
  }

  bool configure_one(SlotId slot, const Dependency &dependency, bool is_loop, bool &is_met, bool &has_changed) {
    for (const Alternative &alternative : dependency.alternatives) {
      for (PackageRef version : alternative.targets) {
        SlotId other = catalog_.slot_of(version);
        if (other == kNone || change_.install(other) != version) continue;
        if (at(other).is_configured || (at(other).is_unpacked && at(other).is_looping && is_loop)) {
          is_met = true;
          break;
        }
        if (!at(other).is_unpacked) continue;
        if (!guarded(slot, is_loop, [&] { return configure(other); })) return false;
        is_met = true;
        if (!at(other).is_looping) has_changed = true;
        break;
      }
      if (is_met) break;
    }
    return true;
  }

  Change &change_;
  Catalog &catalog_;
  std::vector<Progress> progress_;
  std::vector<DpkgRun> runs_;
};

}  // namespace

std::vector<DpkgRun> plan_runs(const debian::PackageIndex &index, const Policy &policy,
                               std::span<const debian::PackageRef> chosen,
                               std::span<const debian::PackageRef> installed) {
  std::vector<std::string> architectures{policy.architecture};
  architectures.insert(architectures.end(), policy.foreign_architectures.begin(), policy.foreign_architectures.end());
  Catalog catalog(index, std::move(architectures));
  Change change(catalog, {chosen.begin(), chosen.end()}, {installed.begin(), installed.end()});
  return Planner(change).run();
}

std::vector<debian::PackageRef> unpack_order(const std::vector<DpkgRun> &runs) {
  std::vector<debian::PackageRef> order;
  for (const DpkgRun &run : runs) {
    if (run.kind == DpkgRun::Kind::unpack) order.insert(order.end(), run.packages.begin(), run.packages.end());
  }
  return order;
}

}  // namespace debroot::resolve
