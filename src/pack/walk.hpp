/// The one walk over a finished root.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// How far a walk is.
struct PackCount {
  std::uint64_t entries = 0;        ///< entries written, the synthetic ones of ./dev included
  std::uint64_t content_bytes = 0;  ///< bytes of files written
};

struct PackOptions {
  std::int64_t epoch_seconds = 0;  ///< times newer than this are written as this
  /// An image begins with `./dev/` and fourteen entries below it made from nothing, and what lies in the tree's own
  /// `./dev` is left out; false (`--skip=output/dev`): the tree's own `./dev` is packed as any directory.
  bool with_devices = true;
  bool with_device_nodes = true;  ///< false (`--skip=output/mknod`): the synthetic ./dev has only directories and links
  bool shows_root_as_owner = false;  ///< every owner and group is written as 0, whatever the tree's are
  /// Files with one name are removed once they are written, so that what they take is free for the image. For a tree on
  /// a file system of its own that nobody needs behind the walk.
  bool consumes_tree = false;
  unsigned threads = 1;                                ///< for compressors; never changes the bytes
  std::function<void(const PackCount &)> on_progress;  ///< called after each entry; may be empty
  std::function<bool()> is_cancelled;                  ///< asked before each entry and each block; may be empty
};

struct WalkResult {
  PackCount count;
  std::vector<std::string> warnings;  ///< "left out the socket '/run/x': an image cannot hold it"
};

/// Gives every one of `sinks` the entries of `root`: `./dev`'s synthetic entries, `./`, then everything else, each
/// directory followed by what is in it (the order of GNU tar's --sort=name). `./lost+found` and what is mounted on
/// directories of the tree are left out, sockets too. A file with several names is stored under the first, the others
/// are hard links to it. Must see the ids that the image is to have (inside the user namespace). Does not finish the
/// sinks. @throws Error of kind output (the tree cannot be read or an output not written) or interrupted
[[nodiscard]] WalkResult walk_tree(const base::RootDirectory &root, std::span<TreeSink *const> sinks,
                                   const PackOptions &options);

/// Hands the content of `entry`, a file that is open at `fd` and read from its offset, to `take` in large pieces.
/// `buffer` holds them meanwhile and must not be empty. @throws Error of kind output when it cannot be read or ends
/// early ("cannot read '/etc/x' in the root: it ended 3 bytes early")
void read_content(const TreeEntry &entry, int fd, std::span<char> buffer,
                  const std::function<void(std::string_view)> &take);

}  // namespace debroot::pack
