/// A comparison as lines of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "diff/compare.hpp"

namespace debroot::diff {

/// One line a difference, those of one path together:
///
///     only in A  ./etc/motd  file, 0644, 0/0, 12 bytes
///     mode       ./etc/shadow  0640 → 0600
///     content    ./etc/passwd  90 bytes, sha256 5e88… → 94 bytes, sha256 ab12…, line 3: 'x' → 'y'
///
/// then "... 12 more" when there are more than `most_lines` (0: no limit), and the summary:
/// "2 entries in A, 2 in B, 1 path differs (content 1, mode 1)".
[[nodiscard]] std::vector<std::string> render(const Comparison &comparison, std::size_t most_lines = 0);

}  // namespace debroot::diff
