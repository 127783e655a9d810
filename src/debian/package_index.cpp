#include "debian/package_index.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace debroot::debian {
namespace {

std::span<const PackageRef> lookup(const std::unordered_map<std::string_view, std::vector<PackageRef>> &map,
                                   std::string_view name) noexcept {
  auto found = map.find(name);
  if (found == map.end()) return {};
  return found->second;
}

}  // namespace

Priority parse_priority(std::string_view value) noexcept {
  if (value == "required") return Priority::required;
  if (value == "important") return Priority::important;
  if (value == "standard") return Priority::standard;
  if (value == "extra") return Priority::extra;
  return Priority::optional;
}

std::string_view priority_name(Priority priority) noexcept {
  constexpr std::array<std::string_view, 5> kNames = {"required", "important", "standard", "optional", "extra"};
  return kNames[static_cast<std::size_t>(priority)];
}

std::uint32_t PackageIndex::add_source(PackageSource source) {
  sources_.push_back(std::move(source));
  return static_cast<std::uint32_t>(sources_.size() - 1);
}

void PackageIndex::reserve(std::size_t count) {
  packages_.reserve(packages_.size() + count);
  by_name_.reserve(by_name_.size() + count);
}

PackageRef PackageIndex::add(BinaryPackage package) {
  std::vector<PackageRef> &same_name = by_name_[package.name];
  for (PackageRef ref : same_name) {
    BinaryPackage &known = packages_[ref];
    if (known.version == package.version && known.architecture == package.architecture &&
        known.stanza.get("SHA256") == package.stanza.get("SHA256")) {
      known.sources.insert(known.sources.end(), package.sources.begin(), package.sources.end());
      return ref;
    }
  }
  if (same_name.empty()) names_.push_back(package.name);
  auto ref = static_cast<PackageRef>(packages_.size());
  same_name.push_back(ref);
  packages_.push_back(std::move(package));
  return ref;
}

void PackageIndex::seal() {
  for (PackageRef ref = 0; ref < packages_.size(); ++ref) {
    for (std::string_view piece : base::split(packages_[ref].provides, ',')) {
      piece = base::trim(piece);
      // "name", "name (= version)" or "name:arch"
      std::string_view name = piece.substr(0, piece.find_first_of(" \t\n(:"));
      if (name.empty()) continue;
      std::vector<PackageRef> &providers = by_provided_[name];
      if (providers.empty() || providers.back() != ref) providers.push_back(ref);
    }
  }
}

std::vector<std::string_view> PackageIndex::provided_names() const {
  std::vector<std::string_view> names;
  names.reserve(by_provided_.size());
  for (const auto &[name, providers] : by_provided_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::span<const PackageRef> PackageIndex::named(std::string_view name) const noexcept { return lookup(by_name_, name); }

std::span<const PackageRef> PackageIndex::providing(std::string_view name) const noexcept {
  return lookup(by_provided_, name);
}

}  // namespace debroot::debian
