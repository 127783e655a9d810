/// The two orders in which apt meets package names. Both show in results: the first in extended_states and in how the
/// problem resolver proceeds, the second in the order a pattern's packages are marked and in which of two otherwise
/// equal providers wins.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "debian/package_index.hpp"

namespace debroot::resolve {

/// Slot of a name in apt's hash table of its default size.
[[nodiscard]] std::uint32_t cache_bucket(std::string_view name) noexcept;

/// Whether apt's walk over all packages (pkgCache::PkgBegin …) meets `a` before `b`: by bucket, then the shorter name,
/// then bytewise.
[[nodiscard]] bool precedes_in_cache(std::string_view a, std::string_view b) noexcept;

/// When each package (name and architecture) was first mentioned, by a stanza of its own or in a relation of another,
/// reading the index front to back: the order in which apt creates, and numbers, packages.
class MentionOrder {
 public:
  /// Reads every stanza once (some 50 ms for Debian's main). @param architectures native first.
  MentionOrder(const debian::PackageIndex &index, const std::vector<std::string> &architectures);

  /// Number of the package, greater the later it was met; the greatest number for one never met.
  [[nodiscard]] std::uint32_t of(std::string_view name, std::size_t architecture) const noexcept;

 private:
  /// A name met so far; its numbers, one for each architecture, lie together in numbers_.
  struct Entry {
    std::string_view name;
    std::uint32_t hash = 0;
  };

  void mention(std::string_view name, std::size_t architecture, bool is_weak);
  [[nodiscard]] std::size_t place_of(std::string_view name, std::uint32_t hash) const noexcept;
  void grow();
  void read_stanza(const debian::BinaryPackage &package, std::size_t architecture);
  void read_relations(std::string_view value, std::size_t architecture, bool is_weak);

  std::size_t architectures_;
  std::uint32_t next_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> table_;  ///< open addressing: number of an entry plus one, 0 for a free place
  std::vector<std::uint32_t> numbers_;
};

}  // namespace debroot::resolve
