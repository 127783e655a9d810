#include "debian/version.hpp"

namespace debroot::debian {
namespace {

struct Parts {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

Parts split_version(std::string_view text) noexcept {
  Parts parts;
  std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    parts.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  std::size_t dash = text.rfind('-');
  parts.upstream = text.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = text.substr(dash + 1);
  return parts;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Weight of a character of a non-digit run: '~' first, then the end of the run, letters, everything else.
int weight(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size() || is_digit(text[at])) return 0;
  char c = text[at];
  if (c == '~') return -1;
  return is_letter(c) ? c : static_cast<unsigned char>(c) + 256;
}

std::string_view take_number(std::string_view text, std::size_t &at) noexcept {
  while (at < text.size() && text[at] == '0') ++at;
  std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(first, at - first);
}

int compare_part(std::string_view a, std::string_view b) noexcept {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    while ((i < a.size() && !is_digit(a[i])) || (j < b.size() && !is_digit(b[j]))) {
      int difference = weight(a, i) - weight(b, j);
      if (difference != 0) return difference;
      ++i;
      ++j;
    }
    std::string_view x = take_number(a, i);
    std::string_view y = take_number(b, j);
    if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
    if (int order = x.compare(y); order != 0) return order;
  }
  return 0;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view a, std::string_view b) noexcept {
  if (a == b) return std::strong_ordering::equal;
  Parts x = split_version(a);
  Parts y = split_version(b);
  int order = compare_part(x.epoch, y.epoch);
  if (order == 0) order = compare_part(x.upstream, y.upstream);
  if (order == 0) order = compare_part(x.revision, y.revision);
  return order <=> 0;
}

bool version_satisfies(std::string_view version, VersionTest test, std::string_view bound) noexcept {
  if (test == VersionTest::any) return true;
  auto order = compare_versions(version, bound);
  switch (test) {
    case VersionTest::earlier:
      return order < 0;
    case VersionTest::earlier_or_equal:
      return order <= 0;
    case VersionTest::equal:
      return order == 0;
    case VersionTest::later_or_equal:
      return order >= 0;
    case VersionTest::later:
      return order > 0;
    case VersionTest::any:
      break;
  }
  return true;
}

std::string_view version_test_symbol(VersionTest test) noexcept {
  switch (test) {
    case VersionTest::earlier:
      return "<<";
    case VersionTest::earlier_or_equal:
      return "<=";
    case VersionTest::equal:
      return "=";
    case VersionTest::later_or_equal:
      return ">=";
    case VersionTest::later:
      return ">>";
    case VersionTest::any:
      break;
  }
  return "";
}

std::string_view without_epoch(std::string_view version) noexcept {
  std::size_t colon = version.find(':');
  return colon == std::string_view::npos ? version : version.substr(colon + 1);
}

}  // namespace debroot::debian
