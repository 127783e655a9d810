/// Compressions that libarchive writes.
#pragma once

#include <memory>

#include "pack/encoder.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {

/// An encoder for bzip2, compress, lz4, lzip, lzma or lzop, run in one thread, without names or times in its header.
/// Behind libarchive each is a library, save lzop's: that is GPL alone, which all of debroot would become with it, so
/// the program is run. `level` has no say with compress.
/// @throws Error of kind internal
[[nodiscard]] std::unique_ptr<Encoder> make_filter_encoder(FdWriter out, Compression compression,
                                                           const CompressionLevel &level);

}  // namespace debroot::pack
