/// The one compression that is done by a program.
#pragma once

#include <memory>

#include "pack/encoder.hpp"
#include "pack/fd_writer.hpp"

namespace debroot::pack {

/// An encoder that runs the host's lzop: the library behind it is GPL alone, which all of debroot would become with it.
/// The program sees no environment, and the time in its header is taken out. @throws Error of kind output when it
/// cannot be run
[[nodiscard]] std::unique_ptr<Encoder> make_lzop_encoder(FdWriter out, const CompressionLevel &level);

}  // namespace debroot::pack
