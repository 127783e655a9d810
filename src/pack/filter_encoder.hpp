/// Compressions that libarchive writes.
#pragma once

#include <memory>

#include "pack/encoder.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {

/// An encoder for bzip2, compress, lz4, lzip or lzma: each a library behind libarchive, run in one thread and at its
/// default level, without names or times in its header. (lzop is not among them: the library behind it is GPL alone,
/// and Debian's libarchive runs the program.) @throws Error of kind internal
[[nodiscard]] std::unique_ptr<Encoder> make_filter_encoder(FdWriter out, Compression compression);

}  // namespace debroot::pack
