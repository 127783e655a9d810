/// What identifies the content of a kept base state.
#pragma once

#include <cstdint>
#include <string>

namespace debroot::cache {

/// Both parts of a state's file: its tar and, right behind that, its extras.
struct StateParts {
  std::string tar_digest;  ///< SHA-256
  std::uint64_t tar_bytes = 0;
  std::string extras_digest;  ///< SHA-256
  std::uint64_t extras_bytes = 0;
};
template <class Wire>
void fields(Wire &wire, StateParts &parts) {
  wire(parts.tar_digest, parts.tar_bytes, parts.extras_digest, parts.extras_bytes);
}

}  // namespace debroot::cache
