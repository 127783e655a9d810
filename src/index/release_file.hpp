/// The Release file of a suite as values, and the questions that are asked of it.
///
/// Everything here is pure: text and numbers in, values or an Error out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/trust.hpp"

namespace debroot::index {

/// What a Release file says of one file of its suite.
struct ListedFile {
  std::string sha256;  ///< 64 lower-case hexadecimal digits
  std::uint64_t size_bytes = 0;
};

/// The fields of a Release file that matter to apt; absent ones are empty.
struct ReleaseFile {
  std::string origin;
  std::string label;
  std::string suite;
  std::string codename;
  std::string version;
  std::string date_text;                    ///< value of Date
  std::optional<std::int64_t> date;         ///< the same in Unix seconds
  std::string valid_until_text;             ///< value of Valid-Until
  std::optional<std::int64_t> valid_until;  ///< the same in Unix seconds
  std::vector<std::string> components;
  std::vector<std::string> architectures;
  bool has_by_hash = false;                ///< Acquire-By-Hash: yes
  bool is_not_automatic = false;           ///< NotAutomatic: yes
  bool is_but_automatic_upgrades = false;  ///< ButAutomaticUpgrades: yes
  /// No-Support-for-Architecture-all names Packages: arch:all packages stand in every binary-ARCH index.
  bool has_all_in_every_index = false;
  std::map<std::string, ListedFile, std::less<>> files;  ///< SHA256 table, path below the Release file's directory
};

/// Reads a Release file. `subject` names it in messages ("http://deb.debian.org/debian bookworm").
/// @throws Error of kind index: no SHA256 table, a line that is none of its, an unsafe path, a date that is none
[[nodiscard]] ReleaseFile parse_release(const base::VerifiedBytes &text, std::string_view subject);

/// Unix seconds of a date as Release files have it, "Sat, 11 Jul 2026 10:16:37 UTC" (RFC 2822; zones UTC, GMT, Z and
/// numeric offsets); free of locale and time zone. Nothing if it is no such date.
[[nodiscard]] std::optional<std::int64_t> parse_date(std::string_view text) noexcept;

/// Whether the Release names `component`; the security archive's "updates/main" answers to "main" too, as for apt. A
/// Release without component list supports all.
[[nodiscard]] bool supports_component(const ReleaseFile &release, std::string_view component);
/// Whether the Release names `architecture`; one without architecture list supports all.
[[nodiscard]] bool supports_architecture(const ReleaseFile &release, std::string_view architecture);

/// Demands that `release` is the suite asked for: a signed Release of another suite is a valid file in a wrong place.
/// As in apt `requested` may be the Suite or the Codename, of "buster/updates" the part before the slash counts, and a
/// flat archive ("./") or a Release with neither field is not compared. Each component and architecture must be listed.
/// @throws Error of kind trust: "Release of 'SUBJECT' is of another suite", of kind index for what is not listed
void check_release(const ReleaseFile &release, std::string_view requested, const std::vector<std::string> &components,
                   const std::vector<std::string> &architectures, std::string_view subject);

/// What of a Release file's dates is enforced; apt's Acquire options of the same names, with apt's defaults.
struct FreshnessPolicy {
  bool check_valid_until = true;  ///< Acquire::Check-Valid-Until
  bool check_date = true;         ///< Acquire::Check-Date
  std::optional<std::int64_t> max_valid_seconds =
      std::nullopt;  ///< Acquire::Max-ValidTime: valid at most so long from Date
  std::optional<std::int64_t> min_valid_seconds =
      std::nullopt;                      ///< Acquire::Min-ValidTime: valid at least so long from Date
  std::int64_t max_future_seconds = 10;  ///< Acquire::Max-FutureTime: how far Date may lie ahead
};

/// Demands that `release` is neither outdated nor from the future at `now` (Unix seconds).
/// @throws Error of kind trust: "Release of 'SUBJECT' has expired: it was valid until …", "… is not valid yet: …"
void check_freshness(const ReleaseFile &release, std::int64_t now, const FreshnessPolicy &policy,
                     std::string_view subject);

}  // namespace debroot::index
