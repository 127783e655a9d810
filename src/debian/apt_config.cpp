#include "debian/apt_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::debian {
namespace {

std::string folded(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

/// Splits apt.conf text into words, quoted strings and the signs { } ;
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  struct Token {
    enum class Kind { word, sign, clear, end } kind = Kind::end;
    std::string text;
  };

  Token next() {
    skip_blank_and_comments();
    if (rest_.empty()) return {};
    if (rest_.substr(0, 6) == "#clear") {
      rest_.remove_prefix(6);
      return {Token::Kind::clear, {}};
    }
    char first = rest_[0];
    if (first == '{' || first == '}' || first == ';') {
      rest_.remove_prefix(1);
      return {Token::Kind::sign, std::string(1, first)};
    }
    return {Token::Kind::word, first == '"' ? quoted() : bare()};
  }

 private:
  void skip_blank_and_comments() {
    while (true) {
      rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
      bool is_directive = rest_.substr(0, 6) == "#clear";
      if (rest_.substr(0, 2) == "//" || (!rest_.empty() && rest_[0] == '#' && !is_directive)) {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_.substr(0, 2) == "/*") {
        std::size_t end = rest_.find("*/");
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
      } else {
        return;
      }
    }
  }
  std::string quoted() {
    std::size_t end = rest_.find('"', 1);
    if (end == std::string_view::npos)
      throw Error(ErrorKind::usage, fmt::format("apt option has no closing quote: '{}'", rest_));
    std::string out(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::string bare() {
    std::size_t end = std::min(rest_.find_first_of(" \t\r\n{};\""), rest_.size());
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return out;
  }

  std::string_view rest_;
};

}  // namespace

void AptConfig::parse(std::string_view text) {
  using Kind = Tokens::Token::Kind;
  Tokens tokens(text);
  std::vector<std::string> scopes;
  std::vector<std::string> words;
  bool is_clear = false;
  auto finish = [&] {
    if (words.empty()) return;
    std::string name = scopes.empty() ? words[0] : scopes.back() + "::" + words[0];
    if (is_clear) {
      auto is_below = [&](const auto &item) {
        return item.first == folded(name) || item.first.starts_with(folded(name) + "::");
      };
      std::erase_if(values_, is_below);
      std::erase_if(lists_, is_below);
    } else if (words.size() == 1 && !scopes.empty()) {
      lists_[folded(scopes.back())].push_back(words[0]);
    } else if (words.size() == 2 && name.size() > 2 && name.substr(name.size() - 2) == "::") {
      lists_[folded(name.substr(0, name.size() - 2))].push_back(words[1]);
    } else if (words.size() == 2) {
      values_[folded(name)] = words[1];
    } else {
      throw Error(ErrorKind::usage, fmt::format("apt option '{}' has no value", base::join(words, " ")));
    }
    words.clear();
    is_clear = false;
  };
  for (Tokens::Token token = tokens.next(); token.kind != Kind::end; token = tokens.next()) {
    if (token.kind == Kind::word) {
      words.push_back(std::move(token.text));
    } else if (token.kind == Kind::clear) {
      is_clear = true;
    } else if (token.text == "{") {
      if (words.empty()) throw Error(ErrorKind::usage, "apt option block has no name");
      scopes.push_back(scopes.empty() ? words[0] : scopes.back() + "::" + words[0]);
      words.clear();
    } else {
      finish();
      if (token.text == "}" && !scopes.empty()) scopes.pop_back();
    }
  }
  finish();
}

std::optional<std::string> AptConfig::find(std::string_view name) const {
  auto found = values_.find(folded(name));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

bool AptConfig::is_true(std::string_view name, bool otherwise) const {
  constexpr std::array<std::string_view, 6> kTrue = {"yes", "true", "with", "on", "enable", "1"};
  constexpr std::array<std::string_view, 6> kFalse = {"no", "false", "without", "off", "disable", "0"};
  std::optional<std::string> value = find(name);
  if (!value) return otherwise;
  std::string word = folded(*value);
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end()) return false;
  return otherwise;
}

std::vector<std::string> AptConfig::list(std::string_view name) const {
  auto found = lists_.find(folded(name));
  if (found == lists_.end()) return {};
  return found->second;
}

}  // namespace debroot::debian
