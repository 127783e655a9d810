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

bool continues(std::string_view line) noexcept { return !line.empty() && (line[0] == ' ' || line[0] == '\t'); }

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
  while (!rest_.empty() && (rest_[0] == '\n' || rest_[0] == '\r')) rest_.remove_prefix(1);
  if (rest_.empty()) return std::nullopt;
  std::size_t end = rest_.find("\n\n");
  std::string_view text = end == std::string_view::npos ? rest_ : rest_.substr(0, end + 1);
  rest_.remove_prefix(text.size());
  return StanzaView(text);
}

Stanza Stanza::parse(std::string_view text) {
  Stanza stanza;
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    ++number;
    if (base::trim(line).empty() || line[0] == '#') continue;
    if (continues(line)) {
      if (stanza.fields_.empty()) throw Error(ErrorKind::index, fmt::format("line {} continues no field", number));
      stanza.fields_.back().value += fmt::format("\n{}", line.substr(0, line.find_last_not_of(" \t\r") + 1));
      continue;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      throw Error(ErrorKind::index, fmt::format("line {} is no field: '{}'", number, line));
    }
    stanza.fields_.push_back({std::string(line.substr(0, colon)), std::string(base::trim(line.substr(colon + 1)))});
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
  return value == nullptr ? std::string() : *value;
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
