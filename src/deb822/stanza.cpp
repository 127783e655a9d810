#include "deb822/stanza.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::deb822 {
namespace {

char folded(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// Takes one line off `rest`, without its line end.
std::string_view take_line(std::string_view &rest) noexcept {
  std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

/// A line without the carriage return that some archives have; other trailing blanks are the value's own.
std::string_view without_line_end(std::string_view line) noexcept {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool continues(std::string_view line) noexcept { return !line.empty() && (line[0] == ' ' || line[0] == '\t'); }

/// Policy section 5.1: a line of blanks alone separates stanzas too.
bool is_blank(std::string_view line) noexcept { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

bool same_field(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return folded(x) == folded(y); });
}

std::optional<std::string_view> StanzaView::find(std::string_view name) const noexcept {
  std::string_view rest = text_;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    if (line.size() <= name.size() || line[name.size()] != ':' || !same_field(line.substr(0, name.size()), name)) {
      continue;
    }
    const char *begin = line.data() + name.size() + 1;
    const char *end = line.data() + line.size();
    while (continues(rest)) {
      std::string_view more = take_line(rest);
      end = more.data() + more.size();
    }
    return base::trim({begin, static_cast<std::size_t>(end - begin)});
  }
  return std::nullopt;
}

std::optional<StanzaView> StanzaReader::next() noexcept {
  const char *begin = nullptr;  // of the stanza; comments before its first field are not part of it
  while (!rest_.empty()) {
    std::string_view before = rest_;
    std::string_view line = take_line(rest_);
    if (is_blank(line)) {
      if (begin != nullptr) return StanzaView({begin, static_cast<std::size_t>(before.data() - begin)});
    } else if (begin == nullptr && line[0] != '#') {
      begin = line.data();
    }
  }
  if (begin == nullptr) return std::nullopt;
  return StanzaView({begin, static_cast<std::size_t>(rest_.data() - begin)});
}

Stanza Stanza::parse(std::string_view text) {
  Stanza stanza;
  std::size_t number = 0;
  bool has_ended = false;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    ++number;
    if (is_blank(line)) {
      has_ended = !stanza.fields_.empty();
      continue;
    }
    if (line[0] == '#') continue;
    if (has_ended) throw Error(ErrorKind::index, fmt::format("line {} begins a second stanza", number));
    if (continues(line)) {
      if (stanza.fields_.empty()) throw Error(ErrorKind::index, fmt::format("line {} continues no field", number));
      stanza.fields_.back().value += fmt::format("\n{}", without_line_end(line));
      continue;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      throw Error(ErrorKind::index, fmt::format("line {} is no field: '{}'", number, line));
    }
    std::string_view value = without_line_end(line.substr(colon + 1));
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    stanza.fields_.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }
  return stanza;
}

const std::string *Stanza::find(std::string_view name) const noexcept {
  for (const Field &field : fields_) {
    if (same_field(field.name, name)) return &field.value;
  }
  return nullptr;
}

std::string Stanza::get(std::string_view name) const {
  const std::string *value = find(name);
  return value == nullptr ? std::string() : std::string(base::trim(*value));
}

void Stanza::set(std::string_view name, std::string value) {
  for (Field &field : fields_) {
    if (same_field(field.name, name)) {
      field.value = std::move(value);
      return;
    }
  }
  fields_.push_back({std::string(name), std::move(value)});
}

void Stanza::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field &field) { return same_field(field.name, name); });
}

std::string Stanza::str() const {
  std::string out;
  for (const Field &field : fields_) {
    out += field.name;
    // a value that starts on the next line ("Conffiles:\n /etc/x …") has no blank behind the colon
    out += field.value.empty() || field.value[0] == '\n' ? ":" : ": ";
    out += field.value;
    out += '\n';
  }
  return out;
}

}  // namespace debroot::deb822
