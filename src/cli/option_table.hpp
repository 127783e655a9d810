/// The options of each command as a table, from which both the parser and the help are made: an option cannot be in one
/// and not in the other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.hpp"

namespace debroot::cli {

struct OptionRow {
  std::string_view group;  ///< heading in the help; empty: accepted but not shown
  std::string_view names;  ///< "-o,--output"; the help shows the first short and the first long one
  std::string_view value;  ///< name of the value in the help; empty for a switch
  std::string_view text;   ///< a sentence or two, wrapped by the help
  /// Called for each occurrence in command-line order; `value` is "true" for a switch.
  std::function<void(CommandLine &, const std::string &value)> apply;
};

/// All options of `command`, in the order of its help.
[[nodiscard]] std::vector<OptionRow> option_table(Command command);

/// The long names of a table, with their hyphens, for near names.
[[nodiscard]] std::vector<std::string_view> long_names(const std::vector<OptionRow> &table);

}  // namespace debroot::cli
