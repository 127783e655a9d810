/// gzip on several threads.
#pragma once

#include <memory>

#include "pack/encoder.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {

/// An encoder that writes one gzip member (RFC 1952) without name and time. zlib has no threads of its own: the input
/// is cut into pieces of fixed size, each compressed by itself with the end of the piece before it as its dictionary,
/// so the bytes do not depend on `threads` and are hardly more than those of one run.
[[nodiscard]] std::unique_ptr<Encoder> make_gzip_encoder(FdWriter out, unsigned threads, int level = kGzipLevel);

}  // namespace debroot::pack
