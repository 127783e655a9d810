#include "resolve/pattern.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "resolve/pattern_node.hpp"

namespace debroot::resolve {
namespace {

using Node = Pattern::Node;

/// A package while it is looked at: a name with one architecture. Cheap, since a pattern looks at all of them.
struct Candidate {
  std::string_view name;
  std::size_t architecture = 0;
  std::span<const PackageRef> versions;  ///< of all architectures
};

/// Evaluates one pattern. A term about a version holds for a package if it holds for one of its versions; inside
/// ?narrow and ?any-version all terms are about the same version.
class Evaluation {
 public:
  explicit Evaluation(Marking &marking) : marking_(marking), index_(marking.catalog().index()) {}

  bool package_matches(const Node &node, const Candidate &package) {
    switch (node.term) {
      case Term::conjunction:
        return std::all_of(node.children.begin(), node.children.end(),
                           [&](const Node &child) { return package_matches(child, package); });
      case Term::disjunction:
        return std::any_of(node.children.begin(), node.children.end(),
                           [&](const Node &child) { return package_matches(child, package); });
      case Term::negation:
        return !package_matches(node.children[0], package);
      case Term::all_versions:
        return every_version(package, [&](PackageRef version) { return version_matches(node.children[0], version); });
      default:
        break;
    }
    if (std::optional<bool> answer = package_term(node, package)) return *answer;
    return !every_version(package, [&](PackageRef version) { return !version_matches(node, version); });
  }

  bool version_matches(const Node &node, PackageRef version) {
    const debian::BinaryPackage &package = index_.at(version);
    switch (node.term) {
      case Term::conjunction:
        return std::all_of(node.children.begin(), node.children.end(),
                           [&](const Node &child) { return version_matches(child, version); });
      case Term::disjunction:
        return std::any_of(node.children.begin(), node.children.end(),
                           [&](const Node &child) { return version_matches(child, version); });
      case Term::negation:
        return !version_matches(node.children[0], version);
      case Term::all_versions:
      case Term::any_version:
        return version_matches(node.children[0], version);
      case Term::installed:
        return marking_.at(marking_.catalog().slot_of(version)).current == version;
      default:
        break;
    }
    if (is_version_term(node.term)) return version_term(node, version, package);
    std::size_t architecture = marking_.catalog().architecture_number(package.architecture).value_or(0);
    return package_term(node, {package.name, architecture, index_.named(package.name)}).value_or(false);
  }

  /// Calls `visit` for each version of the package until it says false; true if it never did.
  template <typename Visit>
  bool every_version(const Candidate &package, Visit visit) {
    for (PackageRef version : package.versions) {
      if (marking_.catalog().architecture_number(index_.at(version).architecture) != package.architecture) continue;
      if (!visit(version)) return false;
    }
    return true;
  }

 private:
  static bool is_version_term(Term term) noexcept {
    switch (term) {
      case Term::archive:
      case Term::codename:
      case Term::depends:
      case Term::origin:
      case Term::priority:
      case Term::section:
      case Term::source_package:
      case Term::source_version:
      case Term::version:
        return true;
      default:
        return false;
    }
  }

  /// Terms that are about a package whatever its version; nothing for the others.
  std::optional<bool> package_term(const Node &node, const Candidate &package) {
    switch (node.term) {
      case Term::always:
        return true;
      case Term::never:
        return false;
      case Term::architecture:
        return fits_architecture(node.word, package.architecture);
      case Term::essential:
        return !every_version(package, [&](PackageRef version) { return !index_.at(version).is_essential; });
      case Term::exact_name:
        return package.name == node.word;
      case Term::glob_name:
        return expression_matches(node.word, package.name);
      case Term::name:
        return node.regex->matches(package.name);
      case Term::automatic:
      case Term::installed:
      case Term::upgradable:
        return fits_mark(node.term, package);
      case Term::reverse_depends:
        return needed_names(node).contains(package.name);
      default:
        return std::nullopt;
    }
  }

  bool fits_mark(Term term, const Candidate &package) {
    std::optional<SlotId> slot = marking_.catalog().find(package.name, package.architecture);
    if (!slot) return false;
    const Mark &mark = marking_.at(*slot);
    if (term == Term::automatic) return mark.is_automatic;
    if (mark.current == kNone) return false;
    return term == Term::installed || (mark.candidate != kNone && mark.candidate != mark.current);
  }

  bool fits_architecture(const std::string &wanted, std::size_t architecture) const {
    const std::string &name = marking_.catalog().architectures()[architecture];
    if (wanted == "native") return architecture == 0;
    return wanted == "any" || wanted == "linux-any" || wanted == name || wanted == "any-" + name ||
           wanted == "linux-" + name;
  }

  bool version_term(const Node &node, PackageRef version, const debian::BinaryPackage &package) {
    switch (node.term) {
      case Term::archive:
      case Term::codename:
      case Term::origin:
        return std::any_of(package.sources.begin(), package.sources.end(),
                           [&](std::uint32_t source) { return source_matches(node, source); });
      case Term::priority:
        return debian::priority_name(package.priority) == node.word;
      case Term::section:
        return node.regex->matches(package.stanza.get("Section"));
      case Term::version:
        return node.regex->matches(package.version);
      case Term::source_package:
      case Term::source_version:
        return source_package_matches(node, package);
      case Term::depends:
        return depends_on_match(node, version);
      default:
        return false;
    }
  }

  /// Every version of a source gives the same answer, and there are very many versions.
  bool source_matches(const Node &node, std::uint32_t source) {
    std::vector<int> &known = source_answers_[&node];
    if (known.size() <= source) known.resize(index_.sources().size(), -1);
    if (known[source] < 0) {
      const debian::PackageSource &data = index_.sources()[source];
      const std::string &text = node.term == Term::archive    ? data.suite
                                : node.term == Term::codename ? data.codename
                                                              : data.origin;
      known[source] = !text.empty() && node.regex->matches(text) ? 1 : 0;
    }
    return known[source] == 1;
  }

  static bool source_package_matches(const Node &node, const debian::BinaryPackage &package) {
    std::string_view field = package.stanza.get("Source");
    std::size_t open = field.find('(');
    if (node.term == Term::source_package) {
      return node.regex->matches(field.empty() ? package.name : field.substr(0, field.find_first_of(" (")));
    }
    if (open == std::string_view::npos) return node.regex->matches(package.version);
    return node.regex->matches(field.substr(open + 1, field.find(')', open) - open - 1));
  }

  bool depends_on_match(const Node &node, PackageRef version) {
    for (const Dependency &dependency : marking_.catalog().dependencies(version)) {
      if (dependency.kind != node.kind || dependency.is_implicit) continue;
      for (const Alternative &alternative : dependency.alternatives) {
        std::string_view name = alternative.relation.name;
        Candidate target{name, 0, index_.named(name)};
        if (package_matches(node.children[0], target)) return true;
      }
    }
    return false;
  }

  /// Names that versions matching the inner pattern depend on.
  const std::set<std::string_view> &needed_names(const Node &node) {
    auto [place, is_new] = needed_.try_emplace(&node);
    if (!is_new) return place->second;
    std::set<std::string_view> names;
    for (PackageRef version = 0; version < index_.packages().size(); ++version) {
      if (!marking_.catalog().architecture_number(index_.at(version).architecture)) continue;
      if (!version_matches(node.children[0], version)) continue;
      for (const Dependency &dependency : marking_.catalog().dependencies(version)) {
        if (dependency.kind != node.kind || dependency.is_implicit) continue;
        for (const Alternative &alternative : dependency.alternatives) names.insert(alternative.relation.name);
      }
    }
    return needed_[&node] = std::move(names);
  }

  Marking &marking_;
  const debian::PackageIndex &index_;
  std::unordered_map<const Node *, std::vector<int>> source_answers_;
  std::unordered_map<const Node *, std::set<std::string_view>> needed_;
};

}  // namespace

std::vector<SlotId> Pattern::select(Marking &marking, const MentionOrder &mentions) const {
  Evaluation evaluation(marking);
  Catalog &catalog = marking.catalog();
  std::vector<SlotId> slots;
  for (std::string_view name : catalog.index().names()) {
    std::span<const PackageRef> versions = catalog.index().named(name);
    for (std::size_t architecture = 0; architecture < catalog.architectures().size(); ++architecture) {
      Candidate package{name, architecture, versions};
      bool is_there = !evaluation.every_version(package, [](PackageRef) { return false; });
      if (is_there && evaluation.package_matches(*root_, package)) slots.push_back(*catalog.find(name, architecture));
    }
  }
  std::sort(slots.begin(), slots.end(), [&](SlotId a, SlotId b) {
    const Slot &x = catalog.slot(a);
    const Slot &y = catalog.slot(b);
    return mentions.of(x.name, x.architecture) < mentions.of(y.name, y.architecture);
  });
  return slots;
}

}  // namespace debroot::resolve
