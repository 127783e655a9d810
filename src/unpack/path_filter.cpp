#include "unpack/path_filter.hpp"

#include "base/text.hpp"

namespace debroot::unpack {
namespace {

/// Whether `directory` is a parent of the part of `pattern` that has no wildcard yet.
bool leads_to(const std::string &directory, const std::string &pattern) {
  std::string_view literal = std::string_view(pattern).substr(0, pattern.find_first_of("*?[\\"));
  if (literal.size() < pattern.size()) literal = literal.substr(0, literal.rfind('/') + 1);
  while (!literal.empty() && literal.back() == '/') literal.remove_suffix(1);
  if (literal == directory) return true;
  return literal.size() > directory.size() && literal.substr(0, directory.size()) == directory &&
         literal[directory.size()] == '/';
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
    if (rule.is_include && leads_to(entry.path, rule.pattern)) return false;
  }
  return true;
}

void read_path_rules(std::string_view dpkg_config, PathFilter &filter) {
  for (std::string_view line : base::split(dpkg_config, '\n')) {
    line = base::trim(line);
    std::size_t end = line.find_first_of("= \t");
    if (end == std::string_view::npos) continue;
    std::string_view name = line.substr(0, end);
    std::string value(base::trim(line.substr(end + 1)));
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    if (name == "path-exclude") filter.exclude(value);
    if (name == "path-include") filter.include(value);
  }
}

}  // namespace debroot::unpack
