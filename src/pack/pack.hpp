/// Turns a finished root into images: one walk, any number of outputs of any format.
///
/// The same tree gives the same bytes, whatever the host, user, umask, locale, file system and number of threads:
/// names are sorted bytewise, owners are numbers, times are whole seconds and never newer than the epoch, and what a
/// file system adds of its own (inode numbers, holes, labels) is not written.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "pack/image_sink.hpp"
#include "pack/walk.hpp"

namespace debroot::pack {

struct PackResult {
  PackCount count;
  std::vector<std::uint64_t> output_bytes;  ///< size of each output, in their order
  std::vector<std::string> warnings;        ///< of the walk, then of each output
  std::string tar_digest;                   ///< SHA-256 of the uncompressed tar, if an output is an OCI layer
};

/// Writes `root` to every one of `outputs`, each in its format, from one walk (walk_tree says what is in it). An output
/// of the format oci receives the layer: the tar, compressed with gzip. The descriptors are not closed and nothing is
/// synced; on an error what they hold is worthless. @throws Error of kind output (the tree cannot be read or an output
/// not written) or interrupted
[[nodiscard]] PackResult pack_tree(const base::RootDirectory &root, std::span<const ImageSink> outputs,
                                   const PackOptions &options);

}  // namespace debroot::pack
