/// What identifies the content of a kept base state.
#pragma once

#include <cstdint>
#include <string>

namespace debroot::cache {

/// Both parts of a state's file: its tar and, right behind that, its extras. Of a state that is not written the tar's
/// digest is not known.
struct StateParts {
  std::string tar_digest;  ///< SHA-256
  std::uint64_t tar_bytes = 0;
  std::string extras_digest;  ///< SHA-256
  std::uint64_t extras_bytes = 0;
  /// SHA-256 that two states with the same key share only when their tars are the same; told without reading what the
  /// key says already.
  std::string likeness;
};
template <class Wire>
void fields(Wire &wire, StateParts &parts) {
  wire(parts.tar_digest, parts.tar_bytes, parts.extras_digest, parts.extras_bytes, parts.likeness);
}

}  // namespace debroot::cache
