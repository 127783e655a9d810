#include "resolve/sweep.hpp"

#include <algorithm>
#include <set>

namespace debroot::resolve {
namespace {

/// All occupied slots that the roots lead to. Of the packages of one source that meet a relation only those of its
/// newest version count to apt; the difference needs two of them side by side and is left out here.
std::set<SlotId> reachable(Marking &marking) {
  Catalog &catalog = marking.catalog();
  std::set<SlotId> seen;
  std::vector<SlotId> waiting;
  for (SlotId slot : marking.occupied()) {
    const Slot &data = catalog.slot(slot);
    const Mark &mark = marking.at(slot);
    bool is_root = mark.current != kNone || !mark.is_automatic || data.is_essential || data.is_protected;
    if (is_root && seen.insert(slot).second) waiting.push_back(slot);
  }
  while (!waiting.empty()) {
    SlotId parent = waiting.back();
    waiting.pop_back();
    for (const Dependency &dependency : catalog.dependencies(marking.at(parent).install)) {
      if (is_negative(dependency.kind)) continue;
      for (const Alternative &alternative : dependency.alternatives) {
        for (PackageRef version : alternative.targets) {
          SlotId slot = catalog.slot_of(version);
          if (slot == kNone || marking.at(slot).install != version) continue;
          if (seen.insert(slot).second) waiting.push_back(slot);
        }
      }
    }
  }
  return seen;
}

}  // namespace

void sweep(Marking &marking) {
  std::set<SlotId> needed = reachable(marking);
  std::vector<SlotId> slots = marking.occupied();
  for (SlotId slot : slots) {
    Mark &mark = marking.at(slot);
    if (needed.contains(slot) || mark.current != kNone) continue;
    mark.is_protected = false;
    marking.keep(slot);
  }
}

}  // namespace debroot::resolve
