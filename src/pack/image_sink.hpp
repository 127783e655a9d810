/// Where one image of a build is written.
#pragma once

#include <string>

#include "debroot/plan.hpp"

namespace debroot::pack {

/// One output of a walk. The descriptor stays the caller's and must outlive the packing; for an image that is a file
/// system it is a plain file, empty and open for reading and writing.
struct ImageSink {
  int fd = -1;
  Compression compression = Compression::none;  ///< of a tar
  std::string name;  ///< how messages call it: the path given to -o; "-" or empty: "the image"
  Format format = Format::tar;
  CompressionLevel level = {};
};

/// `name` of an ImageSink as messages have it: "'a.tar'" or "the image".
[[nodiscard]] std::string subject_of(const std::string &name);

}  // namespace debroot::pack
