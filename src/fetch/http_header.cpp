#include "fetch/http_header.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace debroot::fetch {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

/// The N of "bytes N-M/TOTAL".
std::optional<std::uint64_t> range_start_of(std::string_view value) {
  constexpr std::string_view kUnit = "bytes ";
  if (!is_same_name(value.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  value.remove_prefix(kUnit.size());
  return base::parse_number(base::trim(value.substr(0, value.find('-'))));
}

}  // namespace

void read_header_line(std::string_view line, HttpHead &head) {
  line = base::trim(line);
  if (line.starts_with("HTTP/")) {
    std::string_view rest = line.substr(std::min(line.find(' '), line.size()));
    std::uint64_t status = base::parse_number(base::trim(rest).substr(0, 3)).value_or(0);
    head = HttpHead{.status = static_cast<int>(status)};
    return;
  }
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view name = line.substr(0, colon);
  std::string_view value = base::trim(line.substr(colon + 1));
  if (is_same_name(name, "etag")) head.etag = value;
  if (is_same_name(name, "last-modified")) head.last_modified = value;
  if (is_same_name(name, "content-range")) head.range_start = range_start_of(value);
  if (is_same_name(name, "retry-after")) {
    constexpr std::uint64_t kMostSeconds = 1'000'000'000;
    if (auto seconds = base::parse_number(value)) {
      head.retry_after = std::chrono::seconds(std::min(*seconds, kMostSeconds));
    }
  }
}

}  // namespace debroot::fetch
