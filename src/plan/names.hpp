/// The words of the command line: what they are allowed to be, and what was probably meant when they are not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "debroot/error.hpp"
#include "debroot/plan.hpp"

namespace debroot::plan {

/// The candidate that `word` is most likely a misspelling of (at most two edits, fewer for short words), the first of
/// equals; nothing when none is near.
[[nodiscard]] std::optional<std::string> nearest_name(std::string_view word,
                                                      std::span<const std::string_view> candidates);

/// An Error of kind usage.
[[nodiscard]] Error usage_error(std::string message);

/// Pieces of a comma- or blank-separated list option, repeated pieces dropped, order kept.
[[nodiscard]] std::vector<std::string> split_list(const std::vector<std::string> &values);

/// --variant, with mmdebstrap's aliases (`minbase`, `debootstrap`, `-`). @throws Error of kind usage
[[nodiscard]] Variant parse_variant(std::string_view word);
/// The variant's own name ("required" for minbase).
[[nodiscard]] std::string_view variant_name(Variant variant) noexcept;

/// --mode: auto, root (or sudo), unshare, chrootless. @throws Error of kind usage, also for root without being root
[[nodiscard]] Mode parse_mode(std::string_view word, bool is_root);
[[nodiscard]] std::string_view mode_name(Mode mode) noexcept;

/// --network. @throws Error of kind usage
[[nodiscard]] Network parse_network(std::string_view word);
[[nodiscard]] std::string_view network_name(Network network) noexcept;

/// --foreign-exec: whether scripts of a foreign image may run native twins of its tools. @throws Error of kind usage
[[nodiscard]] bool parse_foreign_exec(std::string_view word);

/// --stand-ins: whether maintainer scripts may run debroot's stand-ins for tools of the image. @throws Error of kind
/// usage
[[nodiscard]] bool parse_stand_ins(std::string_view word);

/// A host name as RFC 1123 has it: labels of letters, digits and inner hyphens, at most 63 bytes each, and at most 64
/// bytes in all since the kernel keeps no more. @throws Error of kind usage
void check_hostname(std::string_view name);

/// A Debian architecture that debroot knows. @throws Error of kind usage with a near name or the list
void check_architecture(std::string_view name);

/// --jobs: a whole number from 1 to 1024. @throws Error of kind usage
[[nodiscard]] unsigned parse_jobs(std::string_view text);

/// SOURCE_DATE_EPOCH: seconds since 1970, digits only. @throws Error of kind usage
[[nodiscard]] std::int64_t parse_source_date_epoch(std::string_view text);

/// Whether `word` names a stage for --skip.
[[nodiscard]] bool is_skip(std::string_view word) noexcept;

/// --skip: every value that mmdebstrap documents, split at commas. @throws Error of kind usage for any other
[[nodiscard]] std::vector<std::string> parse_skips(const std::vector<std::string> &values);

}  // namespace debroot::plan
