/// What is said when a build was made.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "debroot/plan.hpp"
#include "debroot/report.hpp"

namespace debroot::cli {

/// Lines with outputs, packages, bytes, times, files drawn at random, and on a terminal how to use the image.
[[nodiscard]] std::string summary_text(const BuildPlan &plan, const BuildReport &report, bool is_terminal);

/// Name for a machine made from an image: the file's name without suffixes, nothing when that is no host name.
[[nodiscard]] std::optional<std::string> machine_name(std::string_view path);

}  // namespace debroot::cli
