#include "resolve/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace debroot::resolve {
namespace {

constexpr unsigned kDeepestTree = 6;
constexpr std::size_t kNearNames = 3;
constexpr std::size_t kNearDistance = 2;
constexpr std::string_view kNotAvailable = "no package of that name in the sources, and none that provides it";

class Diagnosis {
 public:
  Diagnosis(Marking &marking, const Policy &policy) : marking_(marking), catalog_(marking.catalog()), policy_(policy) {}

  /// Trees for the requested versions that cannot be installed even alone.
  std::vector<Problem> uninstallable(const std::vector<PackageRef> &requested) {
    std::vector<Problem> problems;
    for (PackageRef version : requested) {
      if (is_installable(version)) continue;
      Problem problem{fmt::format("{} is requested", id(version)), {}};
      explain(version, 0, problem.causes);
      problems.push_back(std::move(problem));
    }
    return problems;
  }

  /// Trees for requested or installed packages that exclude each other through what they cannot do without.
  std::vector<Problem> conflicts(const std::vector<PackageRef> &requested) {
    for (PackageRef version : requested) require(version, kNone);
    for (std::size_t i = 0; i < order_.size(); ++i) require_needs(order_[i]);
    std::vector<Problem> problems;
    for (PackageRef version : order_) {
      for (const Dependency &dependency : catalog_.dependencies(version)) {
        if (!is_negative(dependency.kind)) continue;
        for (PackageRef other : dependency.alternatives[0].targets) add_conflict(version, dependency, other, problems);
      }
    }
    return problems;
  }

  [[nodiscard]] const std::string &missing_name() const noexcept { return missing_name_; }
  [[nodiscard]] bool has_met_exclusion() const noexcept { return has_met_exclusion_; }

 private:
  [[nodiscard]] std::string id(PackageRef version) const { return to_string(catalog_.index().at(version).id()); }

  [[nodiscard]] bool is_excluded(std::string_view name) const {
    return std::find(policy_.excludes.begin(), policy_.excludes.end(), name) != policy_.excludes.end();
  }

  /// Whether the version could be in the end state as far as candidates go.
  bool is_available(PackageRef version) {
    SlotId slot = catalog_.slot_of(version);
    if (slot == kNone) return false;
    const Mark &mark = marking_.at(slot);
    return mark.current == version || (mark.candidate == version && !mark.is_held);
  }

  bool is_installable(PackageRef version) {
    auto [known, is_new] = installable_.try_emplace(version, true);  // a cycle does no harm by itself
    if (!is_new) return known->second;
    bool is_fine = true;
    for (const Dependency &dependency : catalog_.dependencies(version)) {
      if (is_critical(dependency.kind) && !is_negative(dependency.kind) && !is_possible(dependency)) is_fine = false;
    }
    return installable_[version] = is_fine;
  }

  bool is_possible(const Dependency &dependency) {
    for (const Alternative &alternative : dependency.alternatives) {
      for (PackageRef version : alternative.targets) {
        if (is_available(version) && is_installable(version)) return true;
      }
    }
    return false;
  }

  void explain(PackageRef version, unsigned depth, std::vector<Problem> &out) {
    for (const Dependency &dependency : catalog_.dependencies(version)) {
      if (!is_critical(dependency.kind) || is_negative(dependency.kind) || is_possible(dependency)) continue;
      Problem problem{fmt::format("{} needs {}", id(version), text_of(dependency)), {}};
      for (const Alternative &alternative : dependency.alternatives) {
        explain_alternative(alternative, depth, problem.causes);
      }
      out.push_back(std::move(problem));
    }
  }

  void explain_alternative(const Alternative &alternative, unsigned depth, std::vector<Problem> &out) {
    std::size_t before = out.size();
    for (PackageRef version : alternative.targets) {
      if (!is_available(version)) {
        explain_unavailable(version, out);
      } else if (depth >= kDeepestTree || !explained_.insert(version).second) {
        out.push_back({fmt::format("{} cannot be installed either", id(version)), {}});
      } else {
        explain(version, depth + 1, out);
      }
    }
    if (out.size() == before) explain_missing(alternative.relation, out);
  }

  void explain_unavailable(PackageRef version, std::vector<Problem> &out) {
    std::string_view name = catalog_.index().at(version).name;
    SlotId slot = catalog_.slot_of(version);
    if (is_excluded(name)) {
      has_met_exclusion_ = true;
      out.push_back({fmt::format("{} is excluded by --exclude", id(version)), {}});
    } else if (slot != kNone && marking_.at(slot).is_held) {
      out.push_back({fmt::format("{} is refused by the request '{}-'", id(version), name), {}});
    } else if (slot != kNone && marking_.at(slot).candidate != kNone) {
      out.push_back(
          {fmt::format("{} is not chosen: {} is preferred", id(version), id(marking_.at(slot).candidate)), {}});
    } else {
      out.push_back({fmt::format("{} is pinned away", id(version)), {}});
    }
  }

  /// No version at all meets the relation.
  void explain_missing(const debian::Relation &relation, std::vector<Problem> &out) {
    std::span<const PackageRef> named = catalog_.index().named(relation.name);
    if (named.empty()) {
      missing_name_ = relation.name;
      out.push_back({fmt::format("{}: {}", relation.name, kNotAvailable), {}});
      return;
    }
    bool wants_later =
        relation.test == debian::VersionTest::later || relation.test == debian::VersionTest::later_or_equal;
    for (PackageRef version : named) {
      const debian::BinaryPackage &package = catalog_.index().at(version);
      bool fits = debian::version_satisfies(package.version, relation.test, relation.version);
      std::string_view fault = fits                                          ? "is of the wrong architecture"
                               : wants_later                                 ? "is too old"
                               : relation.test == debian::VersionTest::equal ? "is another version"
                                                                             : "is too new";
      out.push_back({fmt::format("{} {}{}", id(version), fault, origin_of(package)), {}});
    }
  }

  [[nodiscard]] std::string origin_of(const debian::BinaryPackage &package) const {
    if (package.sources.empty()) return "";
    const debian::PackageSource &source = catalog_.index().sources()[package.sources.front()];
    return fmt::format(" ({}/{})", source.requested.empty() ? source.suite : source.requested, source.component);
  }

  static std::string text_of(const Dependency &dependency) {
    debian::OrGroup group;
    for (const Alternative &alternative : dependency.alternatives) group.push_back(alternative.relation);
    return to_string(group);
  }

  void require(PackageRef version, PackageRef by) {
    if (needed_by_.emplace(version, by).second) order_.push_back(version);
  }

  /// Follows the relations that only one package can meet.
  void require_needs(PackageRef version) {
    for (const Dependency &dependency : catalog_.dependencies(version)) {
      if (!is_critical(dependency.kind) || is_negative(dependency.kind)) continue;
      std::set<PackageRef> possible;
      for (const Alternative &alternative : dependency.alternatives) {
        for (PackageRef each : alternative.targets) {
          if (is_available(each) && is_installable(each)) possible.insert(each);
        }
      }
      if (possible.size() == 1) require(*possible.begin(), version);
    }
  }

  void add_conflict(PackageRef version, const Dependency &dependency, PackageRef other,
                    std::vector<Problem> &problems) {
    SlotId slot = catalog_.slot_of(other);
    if (slot == kNone) return;
    bool is_installed = marking_.at(slot).current == other;
    if (!is_installed && !needed_by_.contains(other)) return;
    Problem clash{fmt::format("{} conflicts with {}", id(version), id(other)), {}};
    if (!dependency.is_implicit) clash.text += fmt::format(" ({})", text_of(dependency));
    clash.causes.push_back(chain_to(other, is_installed));
    problems.push_back(wrap(version, std::move(clash)));
  }

  /// "b is needed by a", down to what was asked for.
  Problem chain_to(PackageRef version, bool is_installed) {
    auto found = needed_by_.find(version);
    if (found == needed_by_.end()) return {fmt::format("{} is installed and stays", id(version)), {}};
    if (found->second == kNone) return {fmt::format("{} is requested", id(version)), {}};
    Problem problem{fmt::format("{} is needed by {}", id(version), id(found->second)), {}};
    if (!is_installed) problem.causes.push_back(chain_to(found->second, false));
    return problem;
  }

  /// Puts the way from the request to `version` above `inner`.
  Problem wrap(PackageRef version, Problem inner) {
    PackageRef by = needed_by_.at(version);
    if (by == kNone) return {fmt::format("{} is requested", id(version)), {std::move(inner)}};
    return wrap(by, {fmt::format("{} needs {}", id(by), id(version)), {std::move(inner)}});
  }

  Marking &marking_;
  Catalog &catalog_;
  const Policy &policy_;
  std::map<PackageRef, bool> installable_;
  std::set<PackageRef> explained_;
  std::map<PackageRef, PackageRef> needed_by_;
  std::vector<PackageRef> order_;
  std::string missing_name_;
  bool has_met_exclusion_ = false;
};

}  // namespace

Unsatisfiable diagnose(Marking &marking, const Policy &policy, const std::vector<PackageRef> &requested,
                       std::vector<Problem> leftovers) {
  Diagnosis diagnosis(marking, policy);
  Unsatisfiable result;
  result.problems = diagnosis.uninstallable(requested);
  if (result.problems.empty()) result.problems = diagnosis.conflicts(requested);
  if (result.problems.empty()) result.problems = std::move(leftovers);
  if (diagnosis.has_met_exclusion()) {
    result.hint = "leave out the --exclude, or do not request what needs the excluded package";
  } else if (!diagnosis.missing_name().empty()) {
    result.hint = fmt::format("add a suite or component that carries '{}'", diagnosis.missing_name());
  }
  return result;
}

std::vector<Problem> broken_relations(Marking &marking) {
  std::vector<Problem> problems;
  Catalog &catalog = marking.catalog();
  for (SlotId slot : std::vector<SlotId>(marking.occupied())) {
    PackageRef version = marking.at(slot).install;
    for (const Dependency &dependency : catalog.dependencies(version)) {
      if (!is_critical(dependency.kind) || marking.holds(dependency)) continue;
      debian::OrGroup group;
      for (const Alternative &alternative : dependency.alternatives) group.push_back(alternative.relation);
      std::string_view verb = is_negative(dependency.kind) ? "conflicts with" : "needs";
      std::string_view end = is_negative(dependency.kind) ? "" : ", which cannot be installed beside the rest";
      std::string name = to_string(catalog.index().at(version).id());
      problems.push_back({fmt::format("{} {} {}{}", name, verb, to_string(group), end), {}});
    }
  }
  return problems;
}

std::vector<std::string> near_names(const debian::PackageIndex &index, std::string_view name) {
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (std::string_view known : index.names()) {
    std::size_t difference = known.size() > name.size() ? known.size() - name.size() : name.size() - known.size();
    if (difference > kNearDistance) continue;
    std::size_t distance = base::edit_distance(known, name, kNearDistance);
    if (distance <= kNearDistance && distance < name.size()) found.emplace_back(distance, known);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto &[distance, known] : found) {
    if (names.size() == kNearNames || distance > found.front().first) break;
    names.emplace_back(known);
  }
  return names;
}

}  // namespace debroot::resolve
