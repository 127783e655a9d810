#include "cli/cache_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <vector>

#include "base/text.hpp"
#include "cli/text_table.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

using cache::Standing;
using cache::StateRecord;

/// As much of a key as tells it from others.
constexpr std::size_t kKeyDigits = 12;

std::string files_text(const cache::FileGroup &group) {
  return fmt::format("{} {}, {}", group.files, group.files == 1 ? "file" : "files", base::human_bytes(group.bytes));
}

std::string time_text(std::int64_t seconds) {
  std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", parts);
}

std::size_t count_of(const std::vector<StateRecord> &states, Standing standing) {
  return static_cast<std::size_t>(std::count_if(
      states.begin(), states.end(), [&](const StateRecord &record) { return record.standing == standing; }));
}

std::string states_text(const std::vector<StateRecord> &states) {
  std::string out =
      fmt::format("  base states    {}, {} of at most {}\n", count_of(states, Standing::kept),
                  base::human_bytes(cache::StateStore::kept_bytes(states)), base::human_bytes(cache::Bounds{}.bytes));
  if (std::size_t seen = count_of(states, Standing::seen); seen > 0) {
    out += fmt::format("                 {} more, to be kept when another build is alike\n", seen);
  }
  if (std::size_t random = count_of(states, Standing::random); random > 0) {
    out += fmt::format("                 {} that are never kept: something in them is drawn at random\n", random);
  }
  if (count_of(states, Standing::kept) == 0) return out;
  std::vector<TextRow> rows = {{"KEY", "SUITE", "ARCH", "VARIANT", "PACKAGES", "SIZE", "LAST USED"}};
  for (auto record = states.rbegin(); record != states.rend(); ++record) {
    if (record->standing != Standing::kept) continue;
    rows.push_back({record->key.substr(0, kKeyDigits), record->facts.suite, record->facts.architecture,
                    record->facts.variant, std::to_string(record->facts.packages),
                    base::human_bytes(record->parts.tar_bytes + record->parts.extras_bytes),
                    time_text(record->used_seconds)});
  }
  return out + "\n" + text_table(rows, {}, "  ");
}

}  // namespace

std::string inventory_text(const std::string &directory, const cache::Inventory &inventory) {
  std::string out = fmt::format("{}\n  downloads      {}\n", directory, files_text(inventory.downloads));
  if (inventory.partial.files > 0) out += fmt::format("  begun          {}\n", files_text(inventory.partial));
  out += fmt::format("  signed indexes {}\n", files_text(inventory.releases));
  out += fmt::format("  chosen plans   {}\n", files_text(inventory.plans));
  if (!inventory.why_no_states.empty())
    return out + fmt::format("  base states    none: {}\n", inventory.why_no_states);
  return out + states_text(inventory.states);
}

std::string pruned_text(const std::string &directory, const cache::Pruned &pruned) {
  return fmt::format("removed {} {} and {} {} from {}, {}\n", pruned.files, pruned.files == 1 ? "file" : "files",
                     pruned.states, pruned.states == 1 ? "base state" : "base states", directory,
                     base::human_bytes(pruned.bytes));
}

std::uint64_t parse_size(std::string_view text, std::string_view option) {
  auto refuse = [&]() -> Error {
    return plan::usage_error(fmt::format("'{}' is no size: '{}'", option, text)).hint("a number such as 500M or 4G");
  };
  std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::optional<std::uint64_t> number = base::parse_number(text.substr(0, digits));
  std::string_view unit = text.substr(digits);
  if (!number) throw refuse();
  std::uint64_t step = 1000;
  if (unit.ends_with('B')) unit.remove_suffix(1);
  if (unit.size() == 2 && unit[1] == 'i') {
    step = 1024;
    unit.remove_suffix(1);
  }
  constexpr std::string_view kUnits = "KMGT";
  if (unit.empty()) return *number;
  std::size_t power = kUnits.find(unit == "k" ? 'K' : unit[0]);
  if (unit.size() != 1 || power == std::string_view::npos) throw refuse();
  std::uint64_t factor = 1;
  for (std::size_t i = 0; i <= power; ++i) factor *= step;
  if (*number > std::numeric_limits<std::uint64_t>::max() / factor) throw refuse();
  return *number * factor;
}

}  // namespace debroot::cli
