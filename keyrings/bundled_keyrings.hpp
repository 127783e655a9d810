/// The archive keyrings built into the program; README.md here says where each comes from.
#pragma once

#include <string_view>
#include <vector>

namespace debroot {

struct BundledKeyring {
  std::string_view name;   ///< file name without suffix: "debian-archive-keyring"
  std::string_view bytes;  ///< OpenPGP public keys, binary
};

/// All of them, sorted by name.
[[nodiscard]] std::vector<BundledKeyring> bundled_keyrings();

}  // namespace debroot
