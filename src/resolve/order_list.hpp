/// First half of apt's ordering: a list sorted by importance and then rearranged by four depth-first passes, so that
/// what a package needs mostly comes before it (pkgOrderList of apt 2.6).
#pragma once

#include <vector>

#include "resolve/catalog.hpp"

namespace debroot::resolve {

/// The change that is to be ordered: what each slot holds before and after.
class Change {
 public:
  Change(Catalog &catalog, const std::vector<PackageRef> &chosen, const std::vector<PackageRef> &installed);

  [[nodiscard]] Catalog &catalog() noexcept { return catalog_; }
  /// Version before, kNone for none.
  [[nodiscard]] PackageRef current(SlotId slot) const noexcept { return slot < before_.size() ? before_[slot] : kNone; }
  /// Version after, kNone for none.
  [[nodiscard]] PackageRef install(SlotId slot) const noexcept { return slot < after_.size() ? after_[slot] : kNone; }
  /// Whether the slot is to be unpacked.
  [[nodiscard]] bool is_changed(SlotId slot) const noexcept {
    return install(slot) != kNone && install(slot) != current(slot);
  }
  /// The slots to be unpacked, in no useful order.
  [[nodiscard]] const std::vector<SlotId> &changed() const noexcept { return changed_; }
  /// Whether the package should be configured right after it is unpacked: it is essential, or an essential one depends
  /// on its name, however indirectly.
  [[nodiscard]] bool is_immediate(SlotId slot) const noexcept { return slot < immediate_.size() && immediate_[slot]; }
  /// The package that a relation names, if there is a real one; nothing for ":any", which apt keeps apart.
  [[nodiscard]] SlotId named_target(PackageRef parent, const Alternative &alternative);

 private:
  void spread_immediate(PackageRef version);
  static void set(std::vector<PackageRef> &versions, SlotId slot, PackageRef version);

  Catalog &catalog_;
  std::vector<PackageRef> before_;
  std::vector<PackageRef> after_;
  std::vector<SlotId> changed_;
  std::vector<bool> immediate_;
};

/// @return the changed slots in the order in which they should be unpacked where nothing forbids it.
[[nodiscard]] std::vector<SlotId> order_for_unpack(Change &change);

}  // namespace debroot::resolve
