/// How apt compares names with what a user wrote: extended regular expressions and globs, without case.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace debroot::resolve {

/// A POSIX extended regular expression, matched anywhere in a text and without case (as apt-patterns(7) says).
class Regex {
 public:
  /// @throws Error of kind usage when `pattern` is no regular expression.
  explicit Regex(const std::string &pattern);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

/// Whether `text` fits a glob, or a regular expression when it is written between slashes: the notation of
/// apt_preferences(5) for packages, versions and releases. @throws Error of kind usage for a bad expression.
[[nodiscard]] bool expression_matches(const std::string &pattern, std::string_view text);

/// Whether `text` reads as a glob or a /regular expression/ rather than a plain name.
[[nodiscard]] bool is_expression(std::string_view text) noexcept;

}  // namespace debroot::resolve
