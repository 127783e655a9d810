/// What `debroot plan` prints: a table for people, one object for programs (NOTES.md).
#pragma once

#include <string>

#include "debroot/plan.hpp"
#include "debroot/report.hpp"

namespace debroot::cli {

/// Packages in install order in aligned columns, and a last line with their number and size.
[[nodiscard]] std::string plan_table(const BuildPlan &plan, const BuildReport &report);

/// The object of `plan --json`, indented, with a line end.
[[nodiscard]] std::string plan_json(const BuildPlan &plan, const BuildReport &report);

}  // namespace debroot::cli
