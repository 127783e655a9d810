#include "dpkgdb/path_rules.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/text.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::dpkgdb {
namespace {

std::string read_admin_file(const base::RootDirectory &root, std::string_view name) {
  return root.try_read(fmt::format("{}/{}", kAdminDirectory, name)).value_or("");
}

/// Third field of each line of passwd(5) or group(5) by its first.
std::map<std::string, std::uint32_t> read_numbers(const base::RootDirectory &root, std::string_view path) {
  std::map<std::string, std::uint32_t> out;
  std::string text = root.try_read(path).value_or("");
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> fields = base::split(line, ':');
    if (fields.size() < 3) continue;
    if (auto number = base::parse_number(fields[2])) {
      out.emplace(fields[0], static_cast<std::uint32_t>(*number));
    }
  }
  return out;
}

template <class Id>
std::optional<Id> look_up(const std::map<std::string, Id> &map, const std::string &name) {
  auto found = map.find(name);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

/// "#33" is a number, everything else a name.
template <class Lookup>
std::uint32_t account_number(std::string_view word, std::string_view line, const Lookup &lookup) {
  if (!word.empty() && word[0] == '#') {
    if (auto number = base::parse_number(word.substr(1))) return static_cast<std::uint32_t>(*number);
  } else if (auto found = lookup(std::string(word))) {
    return *found;
  }
  throw Error(ErrorKind::package, fmt::format("unknown user or group '{}' in the statoverride '{}'", word, line));
}

}  // namespace

Diversions Diversions::read(const base::RootDirectory &root) {
  Diversions out;
  std::string text = read_admin_file(root, "diversions");
  std::vector<std::string_view> lines = base::split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() % 3 != 0) {
    throw Error(ErrorKind::package, "the diversions file of the root is damaged: its lines do not come in threes");
  }
  for (std::size_t i = 0; i < lines.size(); i += 3) {
    Diversion diversion{std::string(lines[i]), std::string(lines[i + 1]), std::string(lines[i + 2])};
    if (diversion.package == ":") diversion.package.clear();
    std::string from = diversion.from;
    out.by_source_.insert_or_assign(std::move(from), std::move(diversion));
  }
  return out;
}

std::string Diversions::resolve(const std::string &path, std::string_view package) const {
  auto found = by_source_.find(path);
  if (found == by_source_.end()) return path;
  const Diversion &diversion = found->second;
  bool is_own = !diversion.package.empty() && diversion.package == package;
  return is_own ? path : diversion.to;
}

bool Diversions::separates(const std::string &path, std::string_view a, std::string_view b) const {
  auto found = by_source_.find(path);
  if (found == by_source_.end()) return false;
  const std::string &package = found->second.package;
  return !package.empty() && (package == a || package == b);
}

AccountNames AccountNames::read(const base::RootDirectory &root) {
  AccountNames out;
  out.users_ = read_numbers(root, "/etc/passwd");
  out.groups_ = read_numbers(root, "/etc/group");
  return out;
}

std::optional<uid_t> AccountNames::uid(const std::string &name) const { return look_up(users_, name); }
std::optional<gid_t> AccountNames::gid(const std::string &name) const { return look_up(groups_, name); }

StatOverrides StatOverrides::read(const base::RootDirectory &root, const AccountNames &accounts) {
  StatOverrides out;
  std::string text = read_admin_file(root, "statoverride");
  for (std::string_view line : base::split(text, '\n')) {
    std::vector<std::string_view> words = base::split_words(line);
    if (words.empty()) continue;
    unsigned mode = 0;
    bool is_whole = words.size() >= 4;
    if (is_whole) {
      auto [end, failure] = std::from_chars(words[2].data(), words[2].data() + words[2].size(), mode, 8);
      is_whole = failure == std::errc{} && end == words[2].data() + words[2].size();
    }
    if (!is_whole) throw Error(ErrorKind::package, fmt::format("'{}' is no statoverride", line));
    StatOverride rule;
    rule.uid = account_number(words[0], line, [&](const std::string &name) { return accounts.uid(name); });
    rule.gid = account_number(words[1], line, [&](const std::string &name) { return accounts.gid(name); });
    rule.mode = mode;
    std::string_view path(words[3].data(), static_cast<std::size_t>(line.data() + line.size() - words[3].data()));
    out.by_path_.insert_or_assign(std::string(path), rule);
  }
  return out;
}

const StatOverride *StatOverrides::find(const std::string &path) const {
  auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

}  // namespace debroot::dpkgdb
