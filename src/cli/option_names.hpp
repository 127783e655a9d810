/// Names of options as Getopt::Long takes them and mmdebstrap's users write them: shortened as long as one option is
/// meant, in any case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.hpp"

namespace debroot::cli {

/// The row of the table that has this very name; null where there is none.
[[nodiscard]] const OptionRow *row_of(std::string_view name, const std::vector<OptionRow> &table);

/// `words` with every option under its whole name; values, operands and unknown options stay as they are, as does
/// everything behind "--". @throws Error of kind usage for a name that is short of telling which option it is
[[nodiscard]] std::vector<std::string> with_whole_names(const std::vector<std::string> &words,
                                                        const std::vector<OptionRow> &table);

}  // namespace debroot::cli
