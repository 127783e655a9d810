/// The suites that debroot knows by name, as data, and the apt sources that each vendor means a system of a suite to
/// have.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "debroot/plan.hpp"

namespace debroot::plan {

/// How a suite is kept up to date, which decides its default sources.
enum class SuiteKind {
  debian_development,    ///< testing, unstable, experimental: the main archive only
  debian_release,        ///< bullseye and later: -updates and -security
  debian_early_release,  ///< buster and earlier: security is "SUITE/updates"
  ubuntu,                ///< -updates and -security
  kali,                  ///< one archive of its own, as the two below
  tanglu,                ///< -updates in the same archive
  elxr,
};

/// One name of the table.
struct KnownSuite {
  std::string_view name;
  SuiteKind kind = SuiteKind::debian_release;
};

/// Every suite by codename and alias, Debian's first.
[[nodiscard]] std::span<const KnownSuite> known_suites() noexcept;

/// The entry of `name`, null if it is nobody's known suite.
[[nodiscard]] const KnownSuite *find_suite(std::string_view name) noexcept;

/// "debian", "ubuntu", "kali", "tanglu" or "elxr".
[[nodiscard]] std::string_view vendor_of(const KnownSuite &suite) noexcept;

/// The sources of a system of this suite: the archive itself and, for releases, its -updates and -security.
[[nodiscard]] std::vector<SourceEntry> default_entries(const KnownSuite &suite, std::string_view architecture,
                                                       const std::vector<std::string> &components);

/// Where a suite past its end is kept, for plans whose sources are the default ones: archive.debian.org or
/// old-releases.ubuntu.com, with Valid-Until not checked, since nobody renews the signatures there. Debian's archive
/// does not keep the -updates suites. Empty when the plan's sources are not the default ones or the suite is never
/// archived (testing, unstable). build/ calls it when the default archive no longer has the suite.
[[nodiscard]] std::vector<SourcesFile> archived_sources(const BuildPlan &plan);

/// @throws Error of kind usage that says which known suite was probably meant and how to name any other archive.
[[noreturn]] void refuse_unknown_suite(std::string_view name);

}  // namespace debroot::plan
