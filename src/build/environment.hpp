/// The environments of the programs that a build starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "debroot/plan.hpp"

namespace debroot::build {

/// What debroot itself tells every program that runs in the root or on it. Those that see the caller's environment get
/// the time of the image only if that has it, as mmdebstrap's.
[[nodiscard]] std::vector<std::string> own_environment(const HostTraces &traces, std::int64_t epoch);

/// `caller` without TMPDIR, which names a directory that the root does not have, without the caller's settings for apt,
/// which are not this build's, and overlaid with `added`.
[[nodiscard]] std::vector<std::string> with_caller(const std::vector<std::string> &caller,
                                                   const std::vector<std::string> &added);

/// What every maintainer script sees: nothing of the caller's environment (Policy section 6.3 promises little more),
/// unless the plan says so. PATH is the one that apt sets (DPkg::Path).
[[nodiscard]] std::vector<std::string> script_environment(const HostTraces &traces, std::int64_t epoch);

/// That of this process.
[[nodiscard]] std::vector<std::string> caller_environment();

}  // namespace debroot::build
