#include "cli/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace debroot::cli {

std::string text_table(const std::vector<TextRow> &rows, const std::vector<std::size_t> &right,
                       const std::string &indent) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
  for (const TextRow &row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const TextRow &row : rows) {
    out += indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      bool is_right = std::find(right.begin(), right.end(), i) != right.end();
      if (is_right) {
        out += fmt::format("{:>{}}", row[i], widths[i]);
      } else {
        out += i + 1 == row.size() ? row[i] : fmt::format("{:<{}}", row[i], widths[i]);
      }
      out += i + 1 == row.size() ? "\n" : "  ";
    }
  }
  return out;
}

}  // namespace debroot::cli
