/// Compressions that libarchive writes.
#pragma once

#include <memory>

#include "pack/encoder.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {

/// An encoder for bzip2, compress, lz4, lzip or lzma: each a library behind libarchive, run in one thread, without
/// names or times in its header. `level` has no say with compress, its `is_extreme` with none. @throws Error of kind
/// internal
[[nodiscard]] std::unique_ptr<Encoder> make_filter_encoder(FdWriter out, Compression compression,
                                                           const CompressionLevel &level);

}  // namespace debroot::pack
