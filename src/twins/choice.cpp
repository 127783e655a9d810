#include "twins/choice.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "debian/relation.hpp"
#include "debian/version.hpp"
#include "twins/tools.hpp"

namespace debroot::twins {

using debian::BinaryPackage;
using debian::PackageRef;

namespace {

/// Builds one Choice.
class Chooser {
 public:
  Chooser(std::span<const BinaryPackage *const> packages, const debian::PackageIndex &native,
          std::string_view architecture)
      : packages_(packages), native_(native), architecture_(architecture) {}

  Choice run() {
    for (std::uint32_t i = 0; i < packages_.size(); ++i) image_.emplace(packages_[i]->name, i);
    bool has_perl = has_perl_libraries();
    // in the order in which they are unpacked, so that a library comes with the first program that needs it
    for (std::uint32_t i = 0; i < packages_.size(); ++i) {
      const BinaryPackage &package = *packages_[i];
      if (package.architecture == "all") continue;
      if (is_perl_library(package.name) && has_perl) take(i, true);
      if (!has_tools(package.name)) continue;
      if (package.name == kPerlPackage && !has_perl) {
        out_.emulated.push_back(to_string(package.id()));
      } else {
        take(i, false);
      }
    }
    return std::move(out_);
  }

 private:
  /// The package of the host's architecture called `name` that was built from `source`.
  [[nodiscard]] std::optional<PackageRef> twin_of(std::string_view name, const SourceVersion &source) const {
    for (PackageRef ref : native_.named(name)) {
      const BinaryPackage &candidate = native_.at(ref);
      if (candidate.architecture == architecture_ && source_of(candidate) == source) return ref;
    }
    return std::nullopt;
  }

  void take(std::uint32_t number, bool is_perl_library) {
    const BinaryPackage &package = *packages_[number];
    std::optional<PackageRef> twin = twin_of(package.name, source_of(package));
    if (!twin) {
      out_.emulated.push_back(to_string(package.id()));
      return;
    }
    taken_.insert(package.name);
    out_.twins.push_back({*twin, number, is_perl_library});
    take_libraries(*twin, number);
  }

  /// Perl would not find what it loads for the image's architecture, and scripts can tell.
  [[nodiscard]] bool has_perl_libraries() const {
    return std::all_of(packages_.begin(), packages_.end(), [&](const BinaryPackage *package) {
      bool is_needed = package->architecture != "all" && is_perl_library(package->name);
      return !is_needed || twin_of(package->name, source_of(*package)).has_value();
    });
  }

  /// Packages of libraries are those that can be installed for several architectures at a time (Multi-Arch: same).
  void take_libraries(PackageRef of, std::uint32_t with) {
    for (std::string_view field : {"Pre-Depends", "Depends"}) {
      std::string_view relations = native_.at(of).stanza.get(field);
      for (const debian::OrGroup &group : debian::parse_relations(relations)) take_library(group, with);
    }
  }

  void take_library(const debian::OrGroup &group, std::uint32_t with) {
    for (const debian::Relation &relation : group) {
      if (taken_.contains(relation.name)) return;
      std::optional<PackageRef> best = best_library(relation);
      if (!best) continue;
      taken_.insert(native_.at(*best).name);
      out_.twins.push_back({*best, with, false});
      take_libraries(*best, with);
      return;
    }
  }

  /// The twin of the image's own package, else the newest that will do.
  [[nodiscard]] std::optional<PackageRef> best_library(const debian::Relation &relation) const {
    std::optional<PackageRef> best;
    auto own = image_.find(relation.name);
    if (own != image_.end()) best = twin_of(relation.name, source_of(*packages_[own->second]));
    if (best && native_.at(*best).multi_arch == debian::MultiArch::same) return best;
    best.reset();
    for (PackageRef ref : native_.named(relation.name)) {
      const BinaryPackage &candidate = native_.at(ref);
      bool will_do = candidate.architecture == architecture_ && candidate.multi_arch == debian::MultiArch::same &&
                     debian::version_satisfies(candidate.version, relation.test, relation.version);
      if (will_do && (!best || debian::compare_versions(candidate.version, native_.at(*best).version) > 0)) best = ref;
    }
    return best;
  }

  std::span<const BinaryPackage *const> packages_;
  const debian::PackageIndex &native_;
  std::string_view architecture_;
  std::map<std::string_view, std::uint32_t> image_;
  std::set<std::string_view> taken_;
  Choice out_;
};

}  // namespace

SourceVersion source_of(const BinaryPackage &package) noexcept {
  SourceVersion out{package.name, package.version};
  std::string_view field = package.stanza.get("Source");
  if (field.empty()) return out;
  std::size_t open = field.find(" (");
  out.name = field.substr(0, open);
  if (open != std::string_view::npos && field.ends_with(')')) {
    out.version = field.substr(open + 2, field.size() - open - 3);
  }
  return out;
}

Choice choose_twins(std::span<const BinaryPackage *const> packages, const debian::PackageIndex &native,
                    std::string_view architecture) {
  return Chooser(packages, native, architecture).run();
}

}  // namespace debroot::twins
