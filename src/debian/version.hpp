/// Version numbers of packages (Policy section 5.6.12, deb-version(7)).
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace debroot::debian {

/// Orders two versions exactly as `dpkg --compare-versions` does: epoch, then upstream, then revision, each by
/// alternating non-digit and digit runs with '~' before everything. Text that is no valid version is ordered too
/// (as dpkg orders what its database holds), never refused.
[[nodiscard]] std::strong_ordering compare_versions(std::string_view a, std::string_view b) noexcept;

/// How a relation restricts a version; `<` and `>` of old control files mean `<=` and `>=` (Policy section 7.1).
enum class VersionTest { any, earlier, earlier_or_equal, equal, later_or_equal, later };

/// Whether `version` satisfies `test` against `bound`.
[[nodiscard]] bool version_satisfies(std::string_view version, VersionTest test, std::string_view bound) noexcept;

/// "<<", "<=", "=", ">=", ">>"; empty for `any`.
[[nodiscard]] std::string_view version_test_symbol(VersionTest test) noexcept;

/// `version` without its epoch, as pool file names have it.
[[nodiscard]] std::string_view without_epoch(std::string_view version) noexcept;

}  // namespace debroot::debian
