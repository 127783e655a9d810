/// Images that are tars, read through libarchive.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "diff/image.hpp"

namespace debroot::diff {

/// Reads the tar behind `file` from its offset to its end: plain or compressed by gzip, bzip2, compress, xz, lzma,
/// lzip, lz4 or zstd. `path` is for messages. @throws Error of kind usage: not a tar, damaged, or ending early
[[nodiscard]] Image read_tar_image(const base::Fd &file, const std::string &path);

}  // namespace debroot::diff
