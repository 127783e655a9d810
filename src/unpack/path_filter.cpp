#include "unpack/path_filter.hpp"

#include "base/text.hpp"

namespace debroot::unpack {
namespace {

/// Whether a directory that is excluded stays for the sake of an include: dpkg keeps those whose path begins with the
/// part of the pattern that has no wildcard.
bool is_kept_for(const std::string &path, const std::string &pattern) {
  std::string_view literal = std::string_view(pattern).substr(0, pattern.find_first_of("*?[\\"));
  while (!literal.empty() && literal.back() == '/') literal.remove_suffix(1);
  return path.compare(0, literal.size(), literal) == 0;
}

}  // namespace

bool PathFilter::skips(const deb::Entry &entry) const {
  if (rules_.empty() || entry.path == "/") return false;
  bool is_skipped = false;
  for (const Rule &rule : rules_) {
    if (rule.is_include == is_skipped && base::glob_match(rule.pattern, entry.path)) is_skipped = !rule.is_include;
  }
  bool can_be_parent = entry.kind == deb::EntryKind::directory || entry.kind == deb::EntryKind::symlink;
  if (!is_skipped || !can_be_parent) return is_skipped;
  for (const Rule &rule : rules_) {
    if (rule.is_include && is_kept_for(entry.path, rule.pattern)) return false;
  }
  return true;
}

void read_path_rules(std::string_view dpkg_config, PathFilter &filter) {
  for (std::string_view line : base::split(dpkg_config, '\n')) {
    line = base::trim(line);
    std::size_t end = line.find_first_of("= \t");
    if (end == std::string_view::npos) continue;
    std::string name(line.substr(0, end));
    line.remove_prefix(line[end] == '=' ? end + 1 : line.find_first_not_of(" \t", end));
    if (!line.empty() && line[0] == '=') line.remove_prefix(1);
    std::string value(base::trim(line));
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    if (name == "path-exclude") filter.exclude(value);
    if (name == "path-include") filter.include(value);
  }
}

}  // namespace debroot::unpack
