/// Words and numbers of a phase, the same in every style for people.
#pragma once

#include <cstdint>
#include <string>

#include "debroot/progress.hpp"

namespace debroot::cli {

/// "167 packages", "1 file"; with a total that is not reached "112/167 packages"; empty when nothing is counted.
[[nodiscard]] std::string items_text(Phase phase, const PhaseCount &count);
/// "34 MB/54 MB", or "54 MB" when the total is reached or not known; empty when no bytes are counted.
[[nodiscard]] std::string bytes_text(const PhaseCount &count);
/// Both, with a comma between.
[[nodiscard]] std::string count_text(Phase phase, const PhaseCount &count);
/// What a phase has before it, from the totals: "167 packages, 54 MB"; empty when nothing is known.
[[nodiscard]] std::string total_text(Phase phase, const PhaseCount &count);
/// "0.4 s", "12.1 s", "2 min 05 s".
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);

}  // namespace debroot::cli
