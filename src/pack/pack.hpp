/// Turns a finished root into the image: one walk, one tar, any number of outputs.
///
/// The same tree gives the same bytes, whatever the host, user, umask, locale, file system and number of threads:
/// names are sorted bytewise, owners are numbers, times are whole seconds and never newer than the epoch, and what a
/// file system adds of its own (inode numbers, holes, labels) is not written.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "pack/encoder.hpp"

namespace debroot::pack {

/// How far a walk is.
struct PackCount {
  std::uint64_t entries = 0;        ///< members written, the synthetic ones of ./dev included
  std::uint64_t content_bytes = 0;  ///< bytes of files written
};

struct PackOptions {
  std::int64_t epoch_seconds = 0;  ///< times newer than this are written as this
  /// The tar begins with `./dev/` and fifteen entries made from nothing, and what lies in the tree's own `./dev` is
  /// left out; false (`--skip=output/dev`): the tree's own `./dev` is packed as any directory.
  bool with_devices = true;
  bool with_device_nodes = true;  ///< false (`--skip=output/mknod`): the synthetic ./dev has only directories and links
  bool shows_root_as_owner = false;  ///< every owner and group is written as 0, whatever the tree's are
  unsigned threads = 1;              ///< for compressors; never changes the bytes
  std::function<void(const PackCount &)> on_progress;  ///< called after each entry; may be empty
  std::function<bool()> is_cancelled;                  ///< asked before each entry and each block; may be empty
};

struct PackResult {
  PackCount count;
  std::vector<std::uint64_t> output_bytes;  ///< written to each output, in their order
  std::vector<std::string> warnings;        ///< "left out the socket '/run/x': a tar cannot hold it"
};

/// Writes `root` to every one of `outputs` from one walk: `./dev`'s synthetic entries, `./`, then everything else, each
/// directory followed by what is in it (the order of GNU tar's --sort=name). `./lost+found` and what is mounted on
/// directories of the tree are left out, sockets too. A file with several names is stored under the first, the others
/// are hard links to it. Must see the ids that the image is to have (inside the user namespace). The descriptors are
/// not closed and nothing is synced; on an error what they hold is worthless. @throws Error of kind output (the tree
/// cannot be read or an output not written) or interrupted
[[nodiscard]] PackResult pack_tar(const base::RootDirectory &root, std::span<const TarSink> outputs,
                                  const PackOptions &options);

}  // namespace debroot::pack
