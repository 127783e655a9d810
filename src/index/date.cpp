#include <array>
#include <cstddef>
#include <cstdint>

#include "base/text.hpp"
#include "index/release_file.hpp"

namespace debroot::index {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the leap day comes last.
std::int64_t days_from_epoch(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
  std::int64_t y = month <= 2 ? year - 1 : year;
  std::int64_t month_from_march = (month + 9) % 12;
  std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  constexpr std::int64_t kDaysToEpoch = 719468;  // 0000-03-01 to 1970-01-01
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - kDaysToEpoch;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept {
  constexpr std::array<std::int64_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

/// A number of `digits_min` to `digits_max` digits.
std::optional<std::int64_t> number(std::string_view text, std::size_t digits_min, std::size_t digits_max) noexcept {
  if (text.size() < digits_min || text.size() > digits_max) return std::nullopt;
  std::int64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::int64_t> month_number(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return static_cast<std::int64_t>(i + 1);
  }
  return std::nullopt;
}

/// Seconds since midnight of "10:16:37" or "10:16".
std::optional<std::int64_t> time_of_day(std::string_view text) noexcept {
  auto hours = number(text.substr(0, text.find(':')), 1, 2);
  if (text.find(':') == std::string_view::npos) return std::nullopt;
  text.remove_prefix(text.find(':') + 1);
  std::size_t colon = text.find(':');
  auto minutes = number(text.substr(0, colon), 2, 2);
  auto seconds =
      colon == std::string_view::npos ? std::optional<std::int64_t>(0) : number(text.substr(colon + 1), 2, 2);
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

/// Seconds east of Greenwich.
std::optional<std::int64_t> zone_offset(std::string_view text) noexcept {
  if (text == "UTC" || text == "GMT" || text == "UT" || text == "Z") return 0;
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  auto hours = number(text.substr(1, 2), 2, 2);
  auto minutes = number(text.substr(3, 2), 2, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  std::int64_t seconds = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

bool is_weekday(std::string_view word) noexcept {
  constexpr std::array<std::string_view, 7> kDays = {"Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"};
  for (std::string_view day : kDays) {
    if (word == day) return true;
  }
  return false;
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) noexcept {
  std::array<std::string_view, 5> words;  // day, month, year, time, zone
  std::size_t count = 0;
  bool has_weekday = false;
  while (!(text = base::trim(text)).empty()) {
    std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
    text.remove_prefix(word.size());
    if (count == 0 && !has_weekday && is_weekday(word)) {
      has_weekday = true;
      continue;
    }
    if (count == words.size()) return std::nullopt;
    words[count++] = word;
  }
  if (count != words.size()) return std::nullopt;
  auto day = number(words[0], 1, 2);
  auto month = month_number(words[1]);
  auto year = number(words[2], 4, 4);
  auto time = time_of_day(words[3]);
  auto zone = zone_offset(words[4]);
  if (!day || !month || !year || !time || !zone) return std::nullopt;
  if (*day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  return days_from_epoch(*year, *month, *day) * 86400 + *time - *zone;
}

}  // namespace debroot::index
