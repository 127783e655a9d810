#include "plan/packages.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.hpp"
#include "plan/names.hpp"

namespace debroot::plan {
namespace {

bool is_path(std::string_view item) {
  return item.starts_with('/') || item.starts_with("./") || item.starts_with("../");
}

bool is_pattern(std::string_view item) { return !item.empty() && std::string_view("?!~(").find(item[0]) < 4; }

std::string package_file(const std::string &item, const HostFacts &host) {
  std::filesystem::path path = std::filesystem::path(host.working_directory) / item;
  std::error_code failure;
  std::filesystem::path resolved = std::filesystem::canonical(path, failure);
  if (failure) throw usage_error(fmt::format("cannot include '{}': {}", item, std::strerror(failure.value())));
  if (!std::filesystem::is_regular_file(resolved, failure)) {
    throw usage_error(fmt::format("cannot include '{}': it is not a file", item));
  }
  if (::access(resolved.c_str(), R_OK) != 0) {
    throw usage_error(fmt::format("cannot include '{}': {}", item, std::strerror(errno)));
  }
  return resolved.string();
}

bool is_package_name(std::string_view name) {
  auto is_first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() >= 2 && is_first(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return is_first(c) || c == '+' || c == '-' || c == '.'; });
}

}  // namespace

std::vector<std::string> parse_includes(const std::vector<std::string> &values, const HostFacts &host) {
  std::vector<std::string> items;
  for (const std::string &value : values) {
    if (is_path(value)) {
      items.push_back(package_file(value, host));
    } else if (is_pattern(value)) {
      items.push_back(value);
    } else {
      for (std::string_view word : base::split_words(value, ", \t\r\n")) {
        std::string item(word);
        items.push_back(is_path(item) ? package_file(item, host) : item);
      }
    }
  }
  return items;
}

std::vector<std::string> parse_excludes(const std::vector<std::string> &values) {
  std::vector<std::string> names = split_list(values);
  for (const std::string &name : names) {
    if (!is_package_name(name)) throw usage_error(fmt::format("'{}' in '--exclude' is no package name", name));
  }
  return names;
}

void check_include_against_exclude(const std::vector<std::string> &includes, const std::vector<std::string> &excludes) {
  for (const std::string &item : includes) {
    // the name without version, suite and architecture; "name-" asks for the same as --exclude does
    std::string name = is_path(item) ? item : item.substr(0, item.find_first_of("=/:"));
    if (std::find(excludes.begin(), excludes.end(), name) == excludes.end()) continue;
    throw usage_error(fmt::format("package '{}' is both in '--include' and in '--exclude'", name));
  }
}

}  // namespace debroot::plan
