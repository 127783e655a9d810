/// What is to be installed, decided package by package as apt does it (pkgDepCache of apt 2.6): marking a package looks
/// at its relations in order, keeps away what conflicts, marks one solution of every unsatisfied or-group depth first,
/// and takes the mark back when a needed relation cannot be met, so that the next alternative gets its turn.
///
/// Invariant: nothing that is installed is ever removed; it may be replaced by another version.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "resolve/cache_order.hpp"
#include "resolve/catalog.hpp"
#include "resolve/policy.hpp"

namespace debroot::resolve {

/// What a marking knows of one slot.
struct Mark {
  PackageRef current = kNone;    ///< version in the root now
  PackageRef candidate = kNone;  ///< version that could be there
  PackageRef install = kNone;    ///< version that is to be there in the end
  PackageRef cause = kNone;      ///< whose relation brought it; kNone for the user's own wish
  bool is_install = false;       ///< a version other than the current one is wanted
  bool is_protected = false;     ///< asked for by the user, or the only way to what was
  bool is_automatic = false;     ///< not asked for (extended_states)
  bool is_held = false;          ///< `pkg-`, --exclude: must not be installed
  bool is_recommended = false;   ///< the cause only recommends it
  bool is_listed = false;        ///< bookkeeping of Marking::occupied
};

class Marking {
 public:
  /// @param mentions gives the order of packages when it is needed; may be costly the first time.
  Marking(Catalog &catalog, const Priorities &priorities, const Policy &policy, std::span<const PackageRef> installed,
          std::function<const MentionOrder &()> mentions);

  [[nodiscard]] Catalog &catalog() noexcept { return catalog_; }
  /// The mark of a slot; the reference stays valid.
  [[nodiscard]] Mark &at(SlotId slot);
  /// The slots that will hold a version, in the order they first did.
  [[nodiscard]] const std::vector<SlotId> &occupied();

  /// Makes `version` the candidate of its slot, and what is installed if the former candidate was to be.
  void set_candidate(PackageRef version);
  /// As set_candidate, and goes on to the versions of the same release that its relations then need (`pkg/release`).
  void set_candidate_from(PackageRef version, const ReleaseMatch &release);
  /// Forbids to install anything into the slot.
  void hold(SlotId slot);

  /// Marks the candidate of `slot` at the user's wish; what it needs as well if `with_dependencies`.
  bool install_requested(SlotId slot, bool with_dependencies) { return install(slot, with_dependencies, 0, true); }
  /// Marks the candidate of `slot` on behalf of others.
  bool install_automatic(SlotId slot, bool with_dependencies) { return install(slot, with_dependencies, 0, false); }
  /// Returns the slot to its current version, or to none; false if it is protected.
  bool keep(SlotId slot, bool by_user = false);

  /// Whether some version of the alternative is to be installed.
  [[nodiscard]] bool is_met(const Alternative &alternative);
  /// Whether the relation holds in the end state (a negative one holds when nothing it forbids will be there).
  [[nodiscard]] bool holds(const Dependency &dependency);
  /// Whether the relation held before anything was marked.
  [[nodiscard]] bool held_before(const Dependency &dependency);
  /// Whether a needed relation of what is to be in the slot does not hold.
  [[nodiscard]] bool is_broken(SlotId slot);
  [[nodiscard]] bool was_broken(SlotId slot);
  /// Number of broken slots.
  [[nodiscard]] std::size_t broken_count();
  /// Whether the relation is one that installing must care for: a needed one, or Recommends when they are wanted.
  [[nodiscard]] bool is_important(const Dependency &dependency) const noexcept;
  /// First alternative's candidate versions first; within one, as apt orders providers.
  [[nodiscard]] std::vector<PackageRef> solutions(const Dependency &dependency);

 private:
  struct Work;

  bool install(SlotId slot, bool with_dependencies, unsigned depth, bool by_user);
  bool install_for(SlotId slot, bool with_dependencies, unsigned depth, PackageRef cause, bool is_recommended);
  [[nodiscard]] bool may_install(SlotId slot, unsigned depth, bool by_user);
  [[nodiscard]] bool is_policy_broken(SlotId slot);
  [[nodiscard]] bool is_in_sync(SlotId slot, bool by_user);
  [[nodiscard]] bool is_satisfiable(SlotId slot);
  [[nodiscard]] bool is_open_to(const Mark &mark) const noexcept;
  void change(SlotId slot, bool by_user);
  void discard_candidate(SlotId slot);
  void discard_install(SlotId slot);
  [[nodiscard]] bool is_refused_before(const Dependency &recommendation, PackageRef current);
  void collect(PackageRef version, bool is_protected, Work &work);
  bool clear_conflicts(Work &work);
  bool clear_candidates(const Dependency &dependency, Work &work);
  bool clear_installed(const Dependency &dependency, Work &work);
  void collect_dependents(SlotId slot, Work &work);
  bool upgrade_conflicts(Work &work);
  void upgrade_siblings(SlotId slot, Work &work);
  bool install_dependencies(Work &work);
  bool install_one_of(const Dependency &dependency, Work &work);
  bool protect_only_solution(const Dependency &dependency, Work &work);
  bool switch_dependency(const Dependency &dependency, const ReleaseMatch &release, std::vector<PackageRef> &changed);
  bool switch_candidates(PackageRef version, const ReleaseMatch &release, std::vector<PackageRef> &changed);
  [[nodiscard]] bool is_fine_now(const Dependency &dependency);
  [[nodiscard]] bool goes_before(PackageRef a, PackageRef b, const debian::Relation &wanted);
  [[nodiscard]] bool has_installed_sibling(SlotId slot);
  [[nodiscard]] PackageRef source_mate(SlotId slot, PackageRef version);

  Catalog &catalog_;
  const Priorities &priorities_;
  const Policy &policy_;
  std::vector<PackageRef> installed_;
  std::vector<SlotId> installed_slots_;
  std::function<const MentionOrder &()> mentions_;
  std::deque<Mark> marks_;
  std::vector<SlotId> occupied_;
};

}  // namespace debroot::resolve
