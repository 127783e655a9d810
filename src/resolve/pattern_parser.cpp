#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "debroot/error.hpp"
#include "resolve/pattern_node.hpp"

namespace debroot::resolve {
namespace {

enum class Argument { none, word, regex, pattern, patterns };

struct TermInfo {
  std::string_view name;
  Term term;
  Argument argument;
  DependencyKind kind = DependencyKind::depends;
};

constexpr std::array kTerms{
    TermInfo{"all-versions", Term::all_versions, Argument::pattern},
    TermInfo{"and", Term::conjunction, Argument::patterns},
    TermInfo{"any-version", Term::any_version, Argument::pattern},
    TermInfo{"architecture", Term::architecture, Argument::word},
    TermInfo{"archive", Term::archive, Argument::regex},
    TermInfo{"automatic", Term::automatic, Argument::none},
    TermInfo{"breaks", Term::depends, Argument::pattern, DependencyKind::breaks},
    TermInfo{"broken", Term::never, Argument::none},
    TermInfo{"codename", Term::codename, Argument::regex},
    TermInfo{"config-files", Term::never, Argument::none},
    TermInfo{"conflicts", Term::depends, Argument::pattern, DependencyKind::conflicts},
    TermInfo{"depends", Term::depends, Argument::pattern},
    TermInfo{"essential", Term::essential, Argument::none},
    TermInfo{"exact-name", Term::exact_name, Argument::word},
    TermInfo{"false", Term::never, Argument::none},
    TermInfo{"garbage", Term::never, Argument::none},
    TermInfo{"installed", Term::installed, Argument::none},
    TermInfo{"name", Term::name, Argument::regex},
    TermInfo{"narrow", Term::any_version, Argument::patterns},
    TermInfo{"not", Term::negation, Argument::pattern},
    TermInfo{"obsolete", Term::never, Argument::none},
    TermInfo{"or", Term::disjunction, Argument::patterns},
    TermInfo{"origin", Term::origin, Argument::regex},
    TermInfo{"predepends", Term::depends, Argument::pattern, DependencyKind::pre_depends},
    TermInfo{"priority", Term::priority, Argument::word},
    TermInfo{"recommends", Term::depends, Argument::pattern, DependencyKind::recommends},
    TermInfo{"reverse-breaks", Term::reverse_depends, Argument::pattern, DependencyKind::breaks},
    TermInfo{"reverse-conflicts", Term::reverse_depends, Argument::pattern, DependencyKind::conflicts},
    TermInfo{"reverse-depends", Term::reverse_depends, Argument::pattern},
    TermInfo{"reverse-predepends", Term::reverse_depends, Argument::pattern, DependencyKind::pre_depends},
    TermInfo{"reverse-recommends", Term::reverse_depends, Argument::pattern, DependencyKind::recommends},
    TermInfo{"reverse-suggests", Term::reverse_depends, Argument::pattern, DependencyKind::suggests},
    TermInfo{"section", Term::section, Argument::regex},
    TermInfo{"source-package", Term::source_package, Argument::regex},
    TermInfo{"source-version", Term::source_version, Argument::regex},
    TermInfo{"suggests", Term::depends, Argument::pattern, DependencyKind::suggests},
    TermInfo{"true", Term::always, Argument::none},
    TermInfo{"upgradable", Term::upgradable, Argument::none},
    TermInfo{"version", Term::version, Argument::regex},
    TermInfo{"virtual", Term::never, Argument::none},
    TermInfo{"x-name-fnmatch", Term::glob_name, Argument::word},
};

/// Short forms, the longer ones first where one begins another.
struct ShortForm {
  std::string_view letters;
  std::string_view name;
};
constexpr std::array kShortForms{
    ShortForm{"DPre-Depends:", "predepends"},
    ShortForm{"DDepends:", "depends"},
    ShortForm{"DRecommends:", "recommends"},
    ShortForm{"DSuggests:", "suggests"},
    ShortForm{"DConflicts:", "conflicts"},
    ShortForm{"DBreaks:", "breaks"},
    ShortForm{"D", "depends"},
    ShortForm{"RPre-Depends:", "reverse-predepends"},
    ShortForm{"RDepends:", "reverse-depends"},
    ShortForm{"RRecommends:", "reverse-recommends"},
    ShortForm{"RSuggests:", "reverse-suggests"},
    ShortForm{"RConflicts:", "reverse-conflicts"},
    ShortForm{"RBreaks:", "reverse-breaks"},
    ShortForm{"R", "reverse-depends"},
    ShortForm{"r", "architecture"},
    ShortForm{"A", "archive"},
    ShortForm{"M", "automatic"},
    ShortForm{"b", "broken"},
    ShortForm{"c", "config-files"},
    ShortForm{"E", "essential"},
    ShortForm{"F", "false"},
    ShortForm{"g", "garbage"},
    ShortForm{"i", "installed"},
    ShortForm{"n", "name"},
    ShortForm{"o", "obsolete"},
    ShortForm{"O", "origin"},
    ShortForm{"p", "priority"},
    ShortForm{"s", "section"},
    ShortForm{"e", "source-package"},
    ShortForm{"T", "true"},
    ShortForm{"U", "upgradable"},
    ShortForm{"V", "version"},
    ShortForm{"v", "virtual"},
};

constexpr std::string_view kTermCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";

/// Recursive descent over: or := and ('|' and)*; and := unary+; unary := '!'? (short | term | '(' or ')').
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Pattern::Node parse_whole() {
    Pattern::Node node = parse_or();
    if (position_ != text_.size()) fail("unexpected text");
    return node;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::usage,
                fmt::format("cannot read pattern '{}': {} at character {}", text_, what, position_ + 1));
  }

  [[nodiscard]] char peek() const noexcept { return position_ < text_.size() ? text_[position_] : '\0'; }
  void skip_blanks() noexcept {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++position_;
  }

  static Pattern::Node combine(Term term, std::vector<Pattern::Node> nodes) {
    if (nodes.size() == 1) return std::move(nodes.front());
    Pattern::Node node;
    node.term = term;
    node.children = std::move(nodes);
    return node;
  }

  Pattern::Node parse_or() {
    std::vector<Pattern::Node> nodes;
    nodes.push_back(parse_and());
    while (peek() == '|') {
      ++position_;
      nodes.push_back(parse_and());
    }
    return combine(Term::disjunction, std::move(nodes));
  }

  Pattern::Node parse_and() {
    std::vector<Pattern::Node> nodes;
    for (skip_blanks(); std::string_view("!~?(").find(peek()) != std::string_view::npos && peek() != '\0';
         skip_blanks()) {
      nodes.push_back(parse_unary());
    }
    if (nodes.empty()) fail("expected a pattern");
    return combine(Term::conjunction, std::move(nodes));
  }

  Pattern::Node parse_unary() {
    if (peek() != '!') return parse_primary();
    ++position_;
    Pattern::Node node;
    node.term = Term::negation;
    node.children.push_back(parse_primary());
    return node;
  }

  Pattern::Node parse_primary() {
    if (peek() == '~') return parse_short();
    if (peek() == '?') return parse_long();
    if (peek() != '(') fail("expected a pattern");
    ++position_;
    Pattern::Node node = parse_or();
    if (peek() != ')') fail("expected a closing parenthesis");
    ++position_;
    return node;
  }

  const TermInfo &find_term(std::string_view name) const {
    auto found = std::find_if(kTerms.begin(), kTerms.end(), [&](const TermInfo &info) { return info.name == name; });
    if (found == kTerms.end()) fail(fmt::format("unknown term '?{}'", name));
    return *found;
  }

  Pattern::Node parse_short() {
    std::string_view rest = text_.substr(position_ + 1);
    for (const ShortForm &form : kShortForms) {
      if (!rest.starts_with(form.letters)) continue;
      const TermInfo &info = find_term(form.name);
      position_ += 1 + form.letters.size();
      Pattern::Node node = start(info);
      if (info.argument == Argument::pattern) {
        node.children.push_back(parse_pattern_argument(true));
      } else if (info.argument != Argument::none) {
        set_word(node, info, parse_word(true));
      }
      return node;
    }
    fail("unknown short term");
  }

  Pattern::Node parse_long() {
    std::size_t begin = ++position_;
    while (peek() != '\0' && kTermCharacters.find(peek()) != std::string_view::npos) ++position_;
    std::string_view name = text_.substr(begin, position_ - begin);
    std::size_t behind_name = std::exchange(position_, begin - 1);
    const TermInfo &info = find_term(name);
    position_ = behind_name;
    skip_blanks();
    Pattern::Node node = start(info);
    bool has_arguments = peek() == '(';
    if (has_arguments != (info.argument != Argument::none)) {
      fail(fmt::format("'?{}' {} an argument", name, has_arguments ? "does not take" : "needs"));
    }
    if (has_arguments) parse_arguments(node, info);
    return node;
  }

  void parse_arguments(Pattern::Node &node, const TermInfo &info) {
    ++position_;
    skip_blanks();
    if (info.argument == Argument::word || info.argument == Argument::regex) {
      set_word(node, info, parse_word(false));
    } else if (info.argument == Argument::pattern) {
      node.children.push_back(parse_pattern_argument(false));
    } else {
      while (peek() != ')') {
        node.children.push_back(parse_pattern_argument(false));
        skip_blanks();
        if (peek() != ',') break;
        ++position_;
        skip_blanks();
      }
    }
    skip_blanks();
    if (peek() != ')') fail("expected a closing parenthesis");
    ++position_;
    if (info.name == "narrow") wrap_in_conjunction(node);
  }

  /// "?narrow(a, b)" is "?any-version(?and(a, b))".
  static void wrap_in_conjunction(Pattern::Node &node) {
    Pattern::Node inner;
    inner.term = Term::conjunction;
    inner.children = std::exchange(node.children, {});
    node.children.push_back(std::move(inner));
  }

  /// A pattern, or a bare word, which stands for the package of that name.
  Pattern::Node parse_pattern_argument(bool is_short) {
    skip_blanks();
    if (std::string_view("!~?(").find(peek()) != std::string_view::npos && peek() != '\0') {
      return is_short ? parse_unary() : parse_or();
    }
    fail("expected a pattern");
  }

  std::string parse_word(bool is_short) {
    if (peek() == '"') {
      std::size_t end = text_.find('"', position_ + 1);
      if (end == std::string_view::npos) fail("expected a closing quote");
      std::string word(text_.substr(position_ + 1, end - position_ - 1));
      position_ = end + 1;
      return word;
    }
    std::size_t begin = position_;
    constexpr std::string_view kNoStart = "!?~|,() ";
    std::string_view terminators = is_short ? kNoStart : "|,()";
    if (peek() == '\0' || kNoStart.find(peek()) != std::string_view::npos) fail("expected a word");
    while (peek() != '\0' && terminators.find(peek()) == std::string_view::npos) ++position_;
    return std::string(text_.substr(begin, position_ - begin));
  }

  static Pattern::Node start(const TermInfo &info) {
    Pattern::Node node;
    node.term = info.term;
    node.kind = info.kind;
    return node;
  }

  static void set_word(Pattern::Node &node, const TermInfo &info, std::string word) {
    if (info.argument == Argument::regex) node.regex.emplace(word);
    node.word = std::move(word);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

Pattern Pattern::parse(std::string_view text) {
  return Pattern(std::make_shared<const Node>(Parser(text).parse_whole()));
}

bool is_pattern(std::string_view item) noexcept {
  return !item.empty() && std::string_view("?~!(").find(item[0]) != std::string_view::npos;
}

}  // namespace debroot::resolve
