/// apt.conf(5) text, as far as a bootstrap needs it: options by name, lists, nested blocks, comments.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::debian {

/// Options as one flat, case-folded map: "acquire::check-valid-until" → "false". Later texts override earlier ones.
class AptConfig {
 public:
  /// Reads `text` on top of what is there; a final semicolon may be missing. `#clear NAME;` removes NAME and what is
  /// below it; `#include` is not followed. @throws Error of kind usage quoting what cannot be read
  void parse(std::string_view text);

  /// Value of `name` ("Acquire::Check-Valid-Until"), in any case.
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
  /// As apt's FindB: "yes", "true", "with", "on", "enable" and "1" are true, their opposites false.
  [[nodiscard]] bool is_true(std::string_view name, bool otherwise) const;
  /// Members of a list ("Name { "a"; "b"; };" or "Name:: "a";"), in order.
  [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

 private:
  std::map<std::string, std::string> values_;
  std::map<std::string, std::vector<std::string>> lists_;
};

}  // namespace debroot::debian
