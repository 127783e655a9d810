/// Small helpers over text that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::base {

/// Blanks and tabs and line ends removed from both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// A sentence of some library without the capital it begins with ("Unrecognized format", but not "EOF").
[[nodiscard]] std::string without_capital(std::string_view sentence);

/// Pieces between `separator`, empty ones included.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// Pieces between runs of any character of `separators`, never empty.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text, std::string_view separators = " \t\n\r");

/// Words as a shell tells them apart: blanks separate, quotes of both kinds hold together, a backslash takes the next
/// character as it is (not between single quotes). Nothing is expanded. Nothing when a quote is not closed.
[[nodiscard]] std::optional<std::vector<std::string>> shell_words(std::string_view text);

[[nodiscard]] std::string join(const std::vector<std::string> &items, std::string_view separator);

/// A whole decimal number, nothing else around it.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text) noexcept;

/// Edit distance (insert, delete, replace, swap of neighbours), never more than `limit` + 1.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// Shell-like name pattern (`*`, `?`, `[…]`); with `cross_slash` a star also matches '/', as dpkg's path patterns do.
[[nodiscard]] bool glob_match(const std::string &pattern, const std::string &text, bool cross_slash = true) noexcept;

/// `url` without user name and password, as every message shows it.
[[nodiscard]] std::string without_credentials(std::string_view url);

/// Bytes as people read them: "8.4 MB", powers of 1000.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

}  // namespace debroot::base
