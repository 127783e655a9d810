#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "cli/option_names.hpp"
#include "cli/option_table.hpp"
#include "plan/names.hpp"
#include "plan/suites.hpp"

namespace debroot::cli {
namespace {

using plan::usage_error;

constexpr std::array kCommands = {Command::build,  Command::plan,  Command::diff,
                                  Command::doctor, Command::cache, Command::mmdebstrap};

std::size_t operand_limit(Command command) noexcept {
  if (command == Command::diff) return 2;
  if (command == Command::cache) return 1;
  if (command == Command::mmdebstrap) return std::numeric_limits<std::size_t>::max();
  return command == Command::doctor ? 0 : 1;
}

[[noreturn]] void refuse_option(const std::string &word, const std::vector<OptionRow> &table, Command command) {
  std::string name = word.substr(0, word.find('='));
  Error error = usage_error(fmt::format("unknown option '{}'", name));
  std::vector<std::string_view> names = long_names(table);
  if (auto near = plan::nearest_name(name, names)) throw error.hint(fmt::format("did you mean '{}'?", *near));
  // mmdebstrap takes the beginning of an option's name for the whole
  auto full = std::find_if(names.begin(), names.end(),
                           [&](std::string_view known) { return name.size() > 3 && known.starts_with(name); });
  if (full != names.end()) throw error.hint(fmt::format("did you mean '{}'?", *full));
  throw error.hint(fmt::format("debroot {} --help lists the options", command_name(command)));
}

[[noreturn]] void refuse_operand(const std::string &word, Command command) {
  Error error = usage_error(fmt::format("unexpected argument '{}'", word));
  if (command != Command::build && command != Command::plan) {
    throw error.hint(fmt::format("debroot {} --help", command_name(command)));
  }
  bool is_mirror = word.find("://") != std::string::npos || word.starts_with("deb ");
  throw error.hint(is_mirror ? fmt::format("--mirror '{}'", word) : fmt::format("--output '{}'", word));
}

/// CLI11 names the option at the beginning of its sentence.
[[noreturn]] void translate(const CLI::ParseError &error) {
  std::string text = error.what();
  std::string name = text.substr(0, text.find_first_of(": "));
  if (!name.starts_with('-')) name = (name.size() == 1 ? "-" : "--") + name;
  if (text.find("flag override") != std::string::npos)
    throw usage_error(fmt::format("option '{}' takes no value", name));
  if (error.get_name() == "ArgumentMismatch") throw usage_error(fmt::format("option '{}' needs a value", name));
  throw Error(ErrorKind::internal, fmt::format("the option parser says: {}", text));
}

/// mmdebstrap takes an empty value as a word of its own, but not behind the equals sign.
void refuse_empty_values(const std::vector<std::string> &words, const std::vector<OptionRow> &table) {
  bool takes_next = false;
  for (const std::string &word : words) {
    if (std::exchange(takes_next, false)) continue;
    if (word == "--") return;
    if (!word.starts_with("--")) continue;
    std::string_view name = std::string_view(word).substr(0, word.find('='));
    const OptionRow *row = row_of(name, table);
    if (row == nullptr || row->value.empty()) continue;
    if (word.size() == name.size() + 1) throw usage_error(fmt::format("option '{}' needs a value", name));
    takes_next = word.size() == name.size();
  }
}

/// CLI11 would let "--include=" take the next word for its value; scripts write that when a variable is empty.
std::vector<std::string> with_empty_values(const std::vector<std::string> &arguments) {
  std::vector<std::string> words;
  bool is_over = false;
  for (const std::string &word : arguments) {
    is_over = is_over || word == "--";
    if (!is_over && word.starts_with("--") && word.find('=') == word.size() - 1) {
      words.push_back(word.substr(0, word.size() - 1));
      words.emplace_back();
    } else {
      words.push_back(word);
    }
  }
  return words;
}

/// SUITE TARGET MIRROR…: without a suite the sources come from standard input, without a target the image goes to
/// standard output.
void take_mmdebstrap_operands(CommandLine &line) {
  std::vector<std::string> words = std::move(line.operands);
  line.operands.clear();
  line.options.outputs = {words.size() > 1 ? words[1] : "-"};
  if (words.empty()) {
    line.options.mirrors = {"-"};
    line.has_no_suite = true;
    return;
  }
  line.options.suite = words[0];
  if (words.size() > 2) line.options.mirrors.assign(words.begin() + 2, words.end());
}

void check_cache_action(const std::vector<std::string> &operands) {
  if (operands.empty()) throw usage_error("cache needs to know what to do").hint("debroot cache list");
  constexpr std::array<std::string_view, 2> kActions = {"list", "prune"};
  if (std::find(kActions.begin(), kActions.end(), operands.front()) != kActions.end()) return;
  throw usage_error(fmt::format("cache cannot '{}'", operands.front())).detail("expected", "list or prune");
}

/// One command's parser: CLI11 splits the words, the table says what each means.
class CommandParser {
 public:
  explicit CommandParser(Command command) : command_(command), table_(option_table(command)) {
    app_.set_help_flag();
    app_.allow_extras();
    for (const OptionRow &row : table_) {
      CLI::Option *option = nullptr;
      if (row.value.empty()) {
        option = app_.add_flag(std::string(row.names))->disable_flag_override();
      } else {
        option = app_.add_option(std::string(row.names), [](const CLI::results_t &) { return true; });
        option->expected(1)->allow_extra_args(false);
      }
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      rows_[option] = &row;
    }
  }

  [[nodiscard]] CommandLine parse(const std::vector<std::string> &arguments) {
    std::vector<std::string> words = arguments;
    if (command_ == Command::mmdebstrap) {
      words = with_whole_names(words, table_);
      refuse_empty_values(words, table_);
    }
    words = with_empty_values(words);
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
    try {
      app_.parse(words);
    } catch (const CLI::ParseError &error) {
      translate(error);
    }
    CommandLine line;
    line.command = command_;
    std::map<const CLI::Option *, std::size_t> seen;
    for (const CLI::Option *option : app_.parse_order()) {
      const OptionRow &row = *rows_.at(option);
      std::size_t occurrence = seen[option]++;
      row.apply(line, row.value.empty() ? "true" : option->results().at(occurrence));
    }
    take_operands(line);
    return line;
  }

 private:
  void take_operands(CommandLine &line) const {
    std::vector<std::string> rest = app_.remaining();
    bool is_over = false;  // behind "--" everything is an operand
    for (const std::string &word : rest) {
      if (word == "--" && !is_over) {
        is_over = true;
      } else if (!is_over && word.size() > 1 && word[0] == '-') {
        refuse_option(word, table_, command_);
      } else {
        line.operands.push_back(word);
      }
    }
    if (line.wants_help) return;
    std::size_t limit = operand_limit(command_);
    if (line.operands.size() > limit) refuse_operand(line.operands[limit], command_);
    if (command_ == Command::diff && line.operands.size() < 2) {
      throw usage_error("diff needs two images").hint("debroot diff A.tar B.tar");
    }
    if (command_ == Command::cache) check_cache_action(line.operands);
    if (command_ == Command::mmdebstrap) take_mmdebstrap_operands(line);
    if (command_ == Command::build || command_ == Command::plan) {
      if (!line.operands.empty()) line.options.suite = line.operands.front();
      line.operands.clear();
    }
  }

  Command command_;
  std::vector<OptionRow> table_;
  CLI::App app_;
  std::map<const CLI::Option *, const OptionRow *> rows_;
};

[[noreturn]] void refuse_command(const std::string &word) {
  if (word.starts_with('-')) {
    Error error = usage_error(fmt::format("unknown option '{}' before the command", word));
    throw error.hint("options follow the command, as in: debroot build bookworm -o out.tar");
  }
  Error error = usage_error(fmt::format("unknown command '{}'", word));
  if (plan::find_suite(word) != nullptr) throw error.hint(fmt::format("debroot build {}", word));
  std::vector<std::string_view> names;
  for (Command command : kCommands) names.push_back(command_name(command));
  if (auto near = plan::nearest_name(word, names)) throw error.hint(fmt::format("did you mean '{}'?", *near));
  throw error.detail("expected", "build, plan, diff, doctor, cache or mmdebstrap");
}

}  // namespace

std::string_view command_name(Command command) noexcept {
  switch (command) {
    case Command::build:
      return "build";
    case Command::plan:
      return "plan";
    case Command::diff:
      return "diff";
    case Command::doctor:
      return "doctor";
    case Command::cache:
      return "cache";
    case Command::mmdebstrap:
      return "mmdebstrap";
  }
  return "unknown";
}

CommandLine parse_command_line(const std::vector<std::string> &arguments) {
  CommandLine line;
  if (arguments.empty()) throw usage_error("no command is given").hint("debroot --help");
  const std::string &word = arguments.front();
  if (word == "--help" || word == "-h" || word == "help") {
    line.wants_help = true;
    return line;
  }
  if (word == "--version") {
    line.wants_version = true;
    return line;
  }
  for (Command command : kCommands) {
    if (command_name(command) != word) continue;
    return CommandParser(command).parse({arguments.begin() + 1, arguments.end()});
  }
  refuse_command(word);
}

}  // namespace debroot::cli
