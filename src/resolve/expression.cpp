#include "resolve/expression.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <regex.h>

#include "debroot/error.hpp"

namespace debroot::resolve {

struct Regex::Compiled {
  explicit Compiled(const std::string &pattern) {
    int status = regcomp(&value, pattern.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (status == 0) return;
    char reason[200] = "";
    regerror(status, &value, reason, sizeof reason);
    throw Error(ErrorKind::usage, fmt::format("'{}' is no regular expression: {}", pattern, reason));
  }
  ~Compiled() { regfree(&value); }
  Compiled(const Compiled &) = delete;
  Compiled &operator=(const Compiled &) = delete;

  regex_t value{};
};

Regex::Regex(const std::string &pattern) : compiled_(std::make_shared<const Compiled>(pattern)) {}

bool Regex::matches(std::string_view text) const {
  return regexec(&compiled_->value, std::string(text).c_str(), 0, nullptr, 0) == 0;
}

bool expression_matches(const std::string &pattern, std::string_view text) {
  if (pattern.size() >= 2 && pattern.front() == '/' && pattern.back() == '/') {
    return Regex(pattern.substr(1, pattern.size() - 2)).matches(text);
  }
  return fnmatch(pattern.c_str(), std::string(text).c_str(), FNM_CASEFOLD) == 0;
}

bool is_expression(std::string_view text) noexcept {
  return (text.size() >= 2 && text.front() == '/' && text.back() == '/') ||
         text.find_first_of("*[?") != std::string_view::npos;
}

}  // namespace debroot::resolve
