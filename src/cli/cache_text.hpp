/// `cache list` and `cache prune` as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/inventory.hpp"

namespace debroot::cli {

/// What is in the cache, and the base states as a table, the most recently used first.
[[nodiscard]] std::string inventory_text(const std::string &directory, const cache::Inventory &inventory);

/// What was removed.
[[nodiscard]] std::string pruned_text(const std::string &directory, const cache::Pruned &pruned);

/// "500M", "4GB", "2GiB", "1000" as bytes: powers of 1000, with an i of 1024. @throws Error of kind usage that names
/// `option`
[[nodiscard]] std::uint64_t parse_size(std::string_view text, std::string_view option);

}  // namespace debroot::cli
