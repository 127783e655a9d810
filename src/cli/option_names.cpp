#include "cli/option_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// The one long name that begins with `name`; `name` itself where there is none.
std::string whole_name(const std::string &name, const std::vector<OptionRow> &table) {
  if (row_of(name, table) != nullptr) return name;
  std::vector<std::string_view> fitting = long_names(table);
  std::erase_if(fitting, [&](std::string_view known) { return !known.starts_with(name); });
  if (fitting.size() > 1) {
    throw plan::usage_error(fmt::format("option '{}' is ambiguous", name))
        .detail("expected", fmt::format("one of {}", fmt::join(fitting, ", ")));
  }
  return fitting.empty() ? name : std::string(fitting.front());
}

}  // namespace

const OptionRow *row_of(std::string_view name, const std::vector<OptionRow> &table) {
  auto found = std::find_if(table.begin(), table.end(), [&](const OptionRow &row) {
    std::vector<std::string_view> names = base::split(row.names, ',');
    return std::find(names.begin(), names.end(), name) != names.end();
  });
  return found == table.end() ? nullptr : &*found;
}

std::vector<std::string> with_whole_names(const std::vector<std::string> &words, const std::vector<OptionRow> &table) {
  std::vector<std::string> out;
  bool is_over = false;
  for (auto word = words.begin(); word != words.end(); ++word) {
    is_over = is_over || *word == "--";
    if (is_over || word->size() < 2 || word->front() != '-') {
      out.push_back(*word);
      continue;
    }
    if (!word->starts_with("--")) {  // flags in a bundle, none of which has a value
      out.push_back(lower(*word));
      continue;
    }
    std::size_t equals = word->find('=');
    std::string name = whole_name(lower(word->substr(0, equals)), table);
    out.push_back(equals == std::string::npos ? name : name + word->substr(equals));
    const OptionRow *row = row_of(name, table);
    bool takes_next = row != nullptr && !row->value.empty() && equals == std::string::npos;
    if (takes_next && word + 1 != words.end()) out.push_back(*++word);
  }
  return out;
}

}  // namespace debroot::cli
