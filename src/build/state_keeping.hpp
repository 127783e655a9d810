/// In the builder: the tree with every package configured, just before it is customised, as a file that other builds
/// can begin with.
///
/// Its tar says all that shows in an image. Beside it stand the extras, which do not: the exact time of what is newer
/// than the image may show, and the content of files that every image is without in the end (logs, the machine id). A
/// hook may look at either.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/known_files.hpp"
#include "cache/state_parts.hpp"
#include "pack/tree_restore.hpp"

namespace debroot::build {

/// A file that clean-up empties or removes.
struct VolatileFile {
  std::string path;  ///< "/var/log/alternatives.log"
  std::string content;
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};
template <class Wire>
void fields(Wire &wire, VolatileFile &file) {
  wire(file.path, file.content, file.seconds, file.nanoseconds);
}

struct StateExtras {
  std::vector<pack::ExactTime> times;
  std::vector<VolatileFile> files;
};
template <class Wire>
void fields(Wire &wire, StateExtras &extras) {
  wire(extras.times, extras.files);
}

/// Reads `root`. What of it is `unpacked` still, the key's packages say: for the likeness of two states its content is
/// not read. @param fd where the state is written, at its beginning; -1: only its likeness and size are wanted
/// @throws Error of kind output
[[nodiscard]] cache::StateParts observe_state(const base::RootDirectory &root, std::int64_t epoch,
                                              const base::KnownFiles &unpacked, int fd);

/// Makes the state at `fd`, which has exactly `parts`, in the empty `root`. On an error what is in the root is
/// worthless. @throws Error of kind trust: "it is damaged"; of kind output: what could not be made
pack::PackCount restore_state(const base::RootDirectory &root, int fd, const cache::StateParts &parts,
                              unsigned threads);

}  // namespace debroot::build
