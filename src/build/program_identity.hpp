/// Which debroot this is: what one build of the program kept, another does not believe.
#pragma once

#include <string>

namespace debroot::build {

/// The version, and what tells this build of the program from every other: the linker's build id, else a digest of the
/// program's file. @throws Error
[[nodiscard]] std::string program_identity();

}  // namespace debroot::build
