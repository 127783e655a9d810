/// All binary packages that a build may choose from, as plain values: what index/ fills and resolve/ reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "deb822/stanza.hpp"
#include "debian/architecture.hpp"
#include "debian/version.hpp"
#include "debroot/package.hpp"

namespace debroot::debian {

/// Where stanzas came from: one Packages file of one suite, with what its Release says that matters for choosing.
struct PackageSource {
  std::string archive_root;  ///< URI above dists/ and pool/, without a trailing slash, credentials included
  std::string suite;         ///< `Suite` of the Release ("oldstable"), which apt calls the archive
  std::string codename;      ///< `Codename` of the Release ("bookworm")
  std::string requested;     ///< the suite as the source entry names it ("bookworm")
  std::string component;     ///< "main"
  std::string origin;        ///< `Origin` of the Release
  std::string label;         ///< `Label` of the Release
  std::string version;       ///< `Version` of the Release
  std::string site;          ///< host of archive_root, empty for file://
  bool is_not_automatic = false;
  bool is_but_automatic_upgrades = false;
};

/// Priority field (Policy section 2.5); unknown words count as optional.
enum class Priority : std::uint8_t { required, important, standard, optional, extra };
[[nodiscard]] Priority parse_priority(std::string_view value) noexcept;
/// The word of a priority: "required".
[[nodiscard]] std::string_view priority_name(Priority priority) noexcept;

/// One version of one binary package. The views point into texts that the PackageIndex keeps alive.
struct BinaryPackage {
  std::string_view name;
  std::string_view version;
  std::string_view architecture;  ///< "all" for architecture-independent packages
  std::string_view provides;      ///< text of the Provides field
  deb822::StanzaView stanza;      ///< everything else
  Priority priority = Priority::optional;
  MultiArch multi_arch = MultiArch::no;
  bool is_essential = false;
  /// Indexes into PackageIndex::sources(), in the order read; several when archives carry the same version.
  std::vector<std::uint32_t> sources;

  [[nodiscard]] PackageId id() const { return {std::string(name), std::string(version), std::string(architecture)}; }
};

/// Position of a package in its index; also its place in the order in which the stanzas were read.
using PackageRef = std::uint32_t;

/// The packages, findable by name and by what they provide. Filled once (add…, then seal), afterwards read-only and
/// safe to read from several threads.
class PackageIndex {
 public:
  /// Keeps `text` alive as long as the index.
  void keep(std::shared_ptr<const std::string> text) { texts_.push_back(std::move(text)); }
  /// @return the source's number
  std::uint32_t add_source(PackageSource source);
  /// Makes room for `count` packages more.
  void reserve(std::size_t count);
  /// Adds a package; a repeated name, version and architecture with the same SHA256 only gains a source.
  /// @return the package
  PackageRef add(BinaryPackage package);
  /// `source` has that package too.
  void add_source_of(PackageRef ref, std::uint32_t source) { packages_[ref].sources.push_back(source); }
  /// Builds the map of provided names. Call once, after the last add.
  void seal();

  [[nodiscard]] std::span<const BinaryPackage> packages() const noexcept { return packages_; }
  [[nodiscard]] const BinaryPackage &at(PackageRef ref) const { return packages_.at(ref); }
  [[nodiscard]] std::span<const PackageSource> sources() const noexcept { return sources_; }
  /// Every version of every architecture of the real package `name`, in the order read.
  [[nodiscard]] std::span<const PackageRef> named(std::string_view name) const noexcept;
  /// Every package with `name` in its Provides, in the order read.
  [[nodiscard]] std::span<const PackageRef> providing(std::string_view name) const noexcept;
  /// Names in the Provides of any package, sorted.
  [[nodiscard]] std::vector<std::string_view> provided_names() const;
  /// Real package names in the order first read.
  [[nodiscard]] std::span<const std::string_view> names() const noexcept { return names_; }

 private:
  std::vector<std::shared_ptr<const std::string>> texts_;
  std::vector<PackageSource> sources_;
  std::vector<BinaryPackage> packages_;
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, std::vector<PackageRef>> by_name_;
  std::unordered_map<std::string_view, std::vector<PackageRef>> by_provided_;
};

}  // namespace debroot::debian
