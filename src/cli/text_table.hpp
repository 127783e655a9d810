/// Rows of words as lines of text.
#pragma once

#include <string>
#include <vector>

namespace debroot::cli {

using TextRow = std::vector<std::string>;

/// Columns as wide as their widest cell with two blanks between them, the last one not padded; those whose numbers are
/// in `right` are aligned to the right. Each line begins with `indent`. All rows have the same number of cells.
[[nodiscard]] std::string text_table(const std::vector<TextRow> &rows, const std::vector<std::size_t> &right = {},
                                     const std::string &indent = {});

}  // namespace debroot::cli
