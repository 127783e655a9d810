/// The entry points of debroot as a library.
#pragma once

#include <stop_token>

#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"

namespace debroot {

/// Makes every output of `plan`, or throws Error and leaves nothing behind. Must be called while the process has one
/// thread (it forks). `stop` is polled: a requested stop ends the build with an Error of kind interrupted.
[[nodiscard]] BuildReport build_image(const BuildPlan &plan, Progress &progress, const std::stop_token &stop);

/// Fetches the indexes and resolves, changes nothing: a report without outputs. @throws Error
[[nodiscard]] BuildReport plan_packages(const BuildPlan &plan, Progress &progress, const std::stop_token &stop);

}  // namespace debroot
