#include "diff/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace debroot::diff {
namespace {

constexpr std::size_t kShownBytes = 60;
constexpr std::size_t kShownBefore = 20;  ///< of a long line, before the first differing byte

/// Length of the UTF-8 sequence at the start of `bytes`; 0 if there is none.
std::size_t utf8_length(std::string_view bytes) {
  unsigned char first = static_cast<unsigned char>(bytes[0]);
  std::size_t length = first < 0x80                    ? 1
                       : first >= 0xc2 && first < 0xe0 ? 2
                       : first >= 0xe0 && first < 0xf0 ? 3
                       : first >= 0xf0 && first < 0xf5 ? 4
                                                       : 0;
  if (length == 0 || length > bytes.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(bytes[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

/// The part of `line` that shows byte `at`.
std::string excerpt(std::string_view line, std::size_t at) {
  std::size_t begin = line.size() > kShownBytes && at > kShownBefore ? at - kShownBefore : 0;
  std::string text = escaped(line.substr(begin, kShownBytes));
  return fmt::format("'{}{}{}'", begin > 0 ? "…" : "", text, line.size() - begin > kShownBytes ? "…" : "");
}

}  // namespace

std::string escaped(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    char c = bytes[0];
    std::size_t length = utf8_length(bytes);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string_view type_name(EntryType type) noexcept {
  switch (type) {
    case EntryType::file:
      return "file";
    case EntryType::directory:
      return "directory";
    case EntryType::symbolic_link:
      return "symbolic link";
    case EntryType::character_device:
      return "character device";
    case EntryType::block_device:
      return "block device";
    case EntryType::fifo:
      return "FIFO";
    case EntryType::socket:
      return "socket";
    case EntryType::hard_link:
      return "hard link";
    case EntryType::unknown:
      break;
  }
  return "unknown";
}

std::string summary_of(const Entry &entry) {
  std::string text(type_name(entry.type));
  if (!entry.link_target.empty()) text += fmt::format(" to '{}'", escaped(entry.link_target));
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    text += fmt::format(" {}:{}", entry.device_major, entry.device_minor);
  }
  text += fmt::format(", {:04o}, {}/{}", entry.mode, entry.uid, entry.gid);
  if (entry.type == EntryType::file) text += fmt::format(", {} bytes", entry.size_bytes);
  return text;
}

std::string time_of(const Entry &entry) {
  namespace chrono = std::chrono;
  auto day = chrono::floor<chrono::days>(chrono::sys_seconds(chrono::seconds(entry.mtime_seconds)));
  chrono::year_month_day date(day);
  chrono::hh_mm_ss time(chrono::sys_seconds(chrono::seconds(entry.mtime_seconds)) - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 time.hours().count(), time.minutes().count(), time.seconds().count());
  if (entry.mtime_nanoseconds != 0) text += fmt::format(".{:09}", entry.mtime_nanoseconds);
  return text + "Z";
}

std::string value_of(std::string_view attribute) {
  bool is_printable = !attribute.empty() && std::all_of(attribute.begin(), attribute.end(),
                                                        [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); });
  std::string_view shown = attribute.substr(0, kShownBytes);
  const char *cut = shown.size() < attribute.size() ? "…" : "";
  if (is_printable) return fmt::format("'{}{}'", escaped(shown), cut);
  if (attribute.empty()) return "''";
  std::string text = "0x";
  for (char c : shown) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text + cut;
}

std::string first_difference(std::string_view a, std::string_view b) {
  std::size_t at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  std::string_view before = a.substr(0, at);
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  std::size_t begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  auto line_of = [&](std::string_view text) -> std::string {
    if (begin >= text.size()) return "end of file";
    std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return excerpt(text.substr(begin), at - begin) + " (no line end)";
    return excerpt(text.substr(begin, end - begin), at - begin);
  };
  return fmt::format("line {}: {} → {}", line, line_of(a), line_of(b));
}

}  // namespace debroot::diff
