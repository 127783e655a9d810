#include "dpkgdb/file_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::dpkgdb {

FileTable FileTable::read(const base::RootDirectory &root) {
  constexpr std::string_view kSuffix = ".list";
  FileTable table;
  std::string info = fmt::format("{}/info", kAdminDirectory);
  for (const std::string &name : root.list(info)) {
    if (name.size() <= kSuffix.size() || name.substr(name.size() - kSuffix.size()) != kSuffix) continue;
    std::string package = name.substr(0, name.size() - kSuffix.size());
    std::string text = root.read(fmt::format("{}/{}", info, name));
    for (std::string_view line : base::split(text, '\n')) {
      if (!line.empty()) table.add(line == "/." ? "/" : std::string(line), package);
    }
  }
  return table;
}

std::uint32_t FileTable::number_of(const std::string &package) {
  auto [found, is_new] = numbers_.emplace(package, static_cast<std::uint32_t>(packages_.size()));
  if (is_new) packages_.push_back(package);
  return found->second;
}

void FileTable::add(const std::string &path, const std::string &package) {
  std::uint32_t number = number_of(package);
  std::vector<std::uint32_t> &owners = owners_[path];
  if (std::find(owners.begin(), owners.end(), number) == owners.end()) owners.push_back(number);
}

void FileTable::remove(const std::string &path, const std::string &package) {
  auto found = owners_.find(path);
  if (found != owners_.end()) std::erase(found->second, number_of(package));
}

std::vector<std::string_view> FileTable::owners(const std::string &path) const {
  std::vector<std::string_view> out;
  auto found = owners_.find(path);
  if (found == owners_.end()) return out;
  for (std::uint32_t number : found->second) out.emplace_back(packages_[number]);
  return out;
}

}  // namespace debroot::dpkgdb
