/// The packages of a distribution small enough to be made for each test.
#pragma once

#include <optional>
#include <string>

#include "support/archive_builder.hpp"

namespace debroot::e2e {

/// Name of the suite, and the architecture of the host, which is the one that scripts can run on.
inline constexpr std::string_view kSuite = "tiny";
[[nodiscard]] const std::string &architecture();

/// Date of the Release file that `add_base` gives the suite: 2020-01-01.
inline constexpr std::int64_t kReleaseDate = 1577836800;

/// Path of a busybox without shared libraries on this host, from which the images get their shell.
[[nodiscard]] std::optional<std::string> static_busybox();

/// A package of the tiny distribution; `Priority: optional` unless said otherwise.
[[nodiscard]] test::DebBuilder package(const std::string &name, const std::string &version = "1.0");

/// Two Essential packages (base-files, shell), the priority-important apt and the optional hello.
void add_base(test::ArchiveBuilder &archive);

}  // namespace debroot::e2e
