/// The way back from the tar of a tree that TarStream wrote to the tree itself.
///
/// Made for trees that debroot packed and whose digest was checked: names are taken as they are, nothing is looked for
/// in the way, and files are written by several threads straight from the tar in memory. What comes from elsewhere is
/// for customize::extract_tar.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/beneath.hpp"
#include "pack/walk.hpp"

namespace debroot::pack {

/// The time of an entry that its tar does not say exactly.
struct ExactTime {
  std::uint64_t entry = 0;  ///< number of the entry in the tar, from 0
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;

  friend bool operator==(const ExactTime &, const ExactTime &) = default;
};
template <class Wire>
void fields(Wire &wire, ExactTime &time) {
  wire(time.entry, time.seconds, time.nanoseconds);
}

struct RestoreOptions {
  unsigned threads = 1;
  std::span<const ExactTime> times;  ///< sorted by entry
};

/// Makes the entries of `tar`, which is uncompressed, in the empty `root`: content, owner, mode, time, extended
/// attributes, hard links, devices; `./` is the root itself. Ids are those of the caller's user namespace.
/// @throws Error of kind output: "cannot restore '/etc/x': …", "cannot read a kept tree: …"
PackCount restore_tree(std::string_view tar, const base::RootDirectory &root, const RestoreOptions &options);

}  // namespace debroot::pack
