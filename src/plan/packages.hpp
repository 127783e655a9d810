/// `--include` and `--exclude`: items split and checked, nothing resolved yet.
#pragma once

#include <string>
#include <vector>

#include "plan/host_facts.hpp"

namespace debroot::plan {

/// Items of every --include, in order, nothing dropped. A value that begins with one of `?!~(` (an apt pattern) or with
/// `/`, `./`, `../` (a .deb file) is one item; every other is split at commas and blanks. Paths become absolute with
/// links resolved. @throws Error of kind usage for a file that cannot be read
[[nodiscard]] std::vector<std::string> parse_includes(const std::vector<std::string> &values, const HostFacts &host);

/// Names of every --exclude, split likewise. @throws Error of kind usage for what is no package name (Policy 5.6.7)
[[nodiscard]] std::vector<std::string> parse_excludes(const std::vector<std::string> &values);

/// @throws Error of kind usage when a package is both demanded and forbidden
void check_include_against_exclude(const std::vector<std::string> &includes, const std::vector<std::string> &excludes);

}  // namespace debroot::plan
