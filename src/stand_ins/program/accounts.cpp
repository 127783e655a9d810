#include "stand_ins/program/accounts.hpp"

#include <algorithm>

#include "stand_ins/program/files.hpp"

namespace debroot::stand_ins {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    std::size_t colon = line.find(':');
    out.push_back(line.substr(0, colon));
    if (colon == std::string_view::npos) return out;
    line.remove_prefix(colon + 1);
  }
}

/// Whether the C library looks for both in files and nowhere else.
bool asks_files_only() {
  std::optional<std::string> text = read_file("/etc/nsswitch.conf");
  if (!text) return false;
  int found = 0;
  for (std::string_view line : lines_of(*text)) {
    std::vector<std::string_view> words = words_of(line);
    if (words.empty() || (words[0] != "passwd:" && words[0] != "group:")) continue;
    if (words.size() != 2 || words[1] != "files") return false;
    ++found;
  }
  return found == 2;
}

/// NAME:PASSWORD:ID:… with `count` fields; "nobody" and its group have numbers of five digits.
std::optional<std::vector<Account>> read_table(const std::string &path, std::size_t count) {
  std::optional<std::string> text = read_file(path);
  if (!text) return std::nullopt;
  std::vector<Account> out;
  for (std::string_view line : lines_of(*text)) {
    std::vector<std::string_view> fields = fields_of(line);
    bool is_usual = fields.size() == count && !fields[0].empty() && !is_space(fields[0][0]) &&
                    std::string_view("#+-").find(fields[0][0]) == std::string_view::npos;
    std::optional<unsigned long> id = is_usual ? read_number(fields[2]) : std::nullopt;
    if (!id) return std::nullopt;
    out.push_back({std::string(fields[0]), *id});
  }
  return out;
}

template <class Matches>
const Account *find_where(const std::vector<Account> &accounts, Matches matches) noexcept {
  auto found = std::find_if(accounts.begin(), accounts.end(), matches);
  return found == accounts.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Accounts> read_accounts() {
  if (!asks_files_only()) return std::nullopt;
  std::optional<std::vector<Account>> users = read_table("/etc/passwd", 7);
  std::optional<std::vector<Account>> groups = read_table("/etc/group", 4);
  if (!users || !groups) return std::nullopt;
  return Accounts{std::move(*users), std::move(*groups)};
}

const Account *find_account(const std::vector<Account> &accounts, std::string_view name) noexcept {
  return find_where(accounts, [&](const Account &each) { return each.name == name; });
}

const Account *find_account(const std::vector<Account> &accounts, unsigned long id) noexcept {
  return find_where(accounts, [&](const Account &each) { return each.id == id; });
}

std::optional<unsigned long> read_number(std::string_view text) noexcept {
  constexpr std::size_t kMostDigits = 7;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  unsigned long out = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = out * 10 + static_cast<unsigned long>(c - '0');
  }
  return out;
}

}  // namespace debroot::stand_ins
