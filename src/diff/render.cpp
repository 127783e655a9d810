#include "diff/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "diff/describe.hpp"

namespace debroot::diff {
namespace {

std::string values_of(const Difference &difference) {
  switch (difference.kind) {
    case DifferenceKind::only_in_a:
      return difference.a;
    case DifferenceKind::only_in_b:
      return difference.b;
    case DifferenceKind::repeated:
      return difference.a.empty() ? difference.b + " in B" : difference.a + " in A";
    case DifferenceKind::xattr:
      return fmt::format("{}: {} → {}", difference.note, difference.a, difference.b);
    default:
      break;
  }
  std::string text = fmt::format("{} → {}", difference.a, difference.b);
  if (!difference.note.empty()) text += ", " + difference.note;
  return text;
}

std::string line_of(const Difference &difference) {
  std::string path = difference.path.empty() ? "" : escaped(difference.path) + "  ";
  return fmt::format("{:<10} {}{}", kind_name(difference.kind), path, values_of(difference));
}

std::string totals_of(const Comparison &comparison) {
  std::map<DifferenceKind, std::size_t> counts;
  for (const Difference &difference : comparison.differences) ++counts[difference.kind];
  std::string kinds;
  for (auto [kind, count] : counts) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? " (" : ", ", kind_name(kind), count);
  }
  if (!kinds.empty()) kinds += ")";
  return fmt::format("{} entries in A, {} in B, {} {}{}", comparison.entries_in_a, comparison.entries_in_b,
                     comparison.differing_paths, comparison.differing_paths == 1 ? "path differs" : "paths differ",
                     kinds);
}

}  // namespace

std::vector<std::string> render(const Comparison &comparison, std::size_t most_lines) {
  std::vector<std::string> lines;
  std::size_t total = comparison.differences.size();
  std::size_t shown = most_lines == 0 ? total : std::min(most_lines, total);
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(line_of(comparison.differences[i]));
  if (shown < total) lines.push_back(fmt::format("... {} more", total - shown));
  lines.push_back(totals_of(comparison));
  return lines;
}

}  // namespace debroot::diff
