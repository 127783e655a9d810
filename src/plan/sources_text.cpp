#include "plan/sources_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "deb822/stanza.hpp"
#include "plan/names.hpp"

namespace debroot::plan {
namespace {

/// Where an entry stands, for its errors.
struct Place {
  std::string_view name;
  std::size_t line = 0;
  std::string_view text;  ///< shown as what was found there
};

[[noreturn]] void refuse(const Place &place, std::string_view cause) {
  throw usage_error(fmt::format("cannot use source '{}:{}': {}", place.name, place.line, cause))
      .detail("got", base::without_credentials(base::trim(place.text)));
}

bool is_yes(std::string_view value) noexcept { return value == "yes" || value == "true" || value == "1"; }

std::string with_architecture(std::string_view text, std::string_view architecture) {
  constexpr std::string_view kVariable = "$(ARCH)";
  std::string out(text);
  for (std::size_t at = out.find(kVariable); at != std::string::npos; at = out.find(kVariable)) {
    out.replace(at, kVariable.size(), architecture);
  }
  return out;
}

/// URI as the fetcher wants it: "file:/x" and "copy:/x" with the slashes that apt lets people leave out.
std::string archive_root(std::string_view uri, const Place &place) {
  constexpr std::array<std::string_view, 2> kLocal = {"file:", "copy:"};
  std::string out(uri);
  for (std::string_view scheme : kLocal) {
    if (!uri.starts_with(scheme)) continue;
    std::string_view path = uri.substr(scheme.size());
    while (path.starts_with("//")) path.remove_prefix(1);
    if (!path.starts_with('/')) refuse(place, "a local archive needs an absolute path");
    out = fmt::format("{}//{}", scheme, path);
  }
  constexpr std::array<std::string_view, 4> kSchemes = {"http://", "https://", "file://", "copy://"};
  if (std::none_of(kSchemes.begin(), kSchemes.end(), [&](auto scheme) { return out.starts_with(scheme); })) {
    refuse(place, "the archive root must be an http, https, file or copy URI");
  }
  while (out.ends_with('/') && !out.ends_with("://")) out.pop_back();
  if (out.ends_with("://")) refuse(place, "the archive root names no host or path");
  return out;
}

/// Options that both styles share, under the one-line names.
void set_option(SourceEntry &entry, std::string_view name, std::string_view value, const Place &place) {
  if (name == "arch") {
    for (std::string_view piece : base::split_words(value, ", \t\n")) entry.architectures.emplace_back(piece);
  } else if (name == "signed-by") {
    entry.signed_by = value;
  } else if (name == "trusted") {
    entry.is_trusted = is_yes(value);
  } else if (name == "check-valid-until") {
    entry.check_valid_until = is_yes(value);
  } else if (name == "arch+" || name == "arch-") {
    refuse(place, fmt::format("the option '{}' is not supported, list the architectures with 'arch'", name));
  }
}

/// A suite and its components; a suite that ends in '/' is the path of a flat archive and has none.
void set_suite(SourceEntry &entry, std::string suite, std::vector<std::string> components, const Place &place) {
  bool is_flat = suite.ends_with('/');
  if (is_flat && !components.empty()) refuse(place, "a suite that ends in '/' takes no components");
  if (!is_flat && components.empty()) refuse(place, "no component is named");
  entry.suite = std::move(suite);
  entry.components = std::move(components);
}

/// Takes the next word off `rest`; blanks inside double quotes belong to it, the quotes do not.
std::string take_word(std::string_view &rest, std::string_view ends) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::string word;
  bool is_quoted = false;
  while (!rest.empty() && (is_quoted || ends.find(rest[0]) == std::string_view::npos)) {
    if (rest[0] == '"') {
      is_quoted = !is_quoted;
    } else {
      word += rest[0];
    }
    rest.remove_prefix(1);
  }
  return word;
}

void read_line_options(SourceEntry &entry, std::string_view &rest, const Place &place) {
  rest.remove_prefix(1);
  while (true) {
    std::string option = take_word(rest, " \t]");
    if (!option.empty()) {
      std::size_t equals = option.find('=');
      if (equals == std::string::npos) refuse(place, fmt::format("the option '{}' has no value", option));
      std::string_view name = std::string_view(option).substr(0, equals);
      set_option(entry, name, std::string_view(option).substr(equals + 1), place);
    }
    if (rest.empty()) refuse(place, "the options have no closing ']'");
    if (rest[0] == ']') break;
  }
  rest.remove_prefix(1);
}

void parse_line(const Place &place, std::string_view architecture, std::vector<SourceEntry> &entries) {
  std::string_view rest = base::trim(place.text);
  std::string type = take_word(rest, " \t");
  if (type != "deb" && type != "deb-src") refuse(place, "a line must begin with 'deb' or 'deb-src'");
  SourceEntry entry;
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (rest.starts_with('[')) read_line_options(entry, rest, place);
  std::string uri = take_word(rest, " \t");
  if (uri.empty()) refuse(place, "no archive root is named");
  entry.archive_root = archive_root(uri, place);
  std::string suite = with_architecture(take_word(rest, " \t"), architecture);
  if (suite.empty()) refuse(place, "no suite is named");
  std::vector<std::string> components;
  for (std::string_view word : base::split_words(rest.substr(0, rest.find('#')), " \t")) components.emplace_back(word);
  set_suite(entry, std::move(suite), std::move(components), place);
  if (type == "deb") entries.push_back(std::move(entry));
}

std::vector<SourceEntry> parse_lines(std::string_view text, std::string_view name, std::string_view architecture) {
  std::vector<SourceEntry> entries;
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    std::string_view trimmed = base::trim(line);
    if (!trimmed.empty() && trimmed[0] != '#') parse_line({name, number, line}, architecture, entries);
  }
  return entries;
}

/// Signed-By holds a path, or a whole key whose empty lines are written as " ." (deb822 folding).
std::string signed_by(const std::string &value) {
  if (value.find("-----BEGIN") == std::string::npos) return std::string(base::trim(value));
  std::string out;
  for (std::string_view line : base::split(base::trim(value), '\n')) {
    std::string_view content = base::trim(line);
    out += fmt::format("{}\n", content == "." ? "" : content);
  }
  return out;
}

std::vector<std::string> words_of(const deb822::Stanza &stanza, std::string_view field) {
  std::string value = stanza.get(field);
  auto pieces = base::split_words(value);
  return {pieces.begin(), pieces.end()};
}

void parse_stanza(const deb822::Stanza &stanza, const Place &place, std::string_view architecture,
                  std::vector<SourceEntry> &entries) {
  std::string enabled = stanza.get("Enabled");
  if (!enabled.empty() && !is_yes(enabled)) return;
  std::vector<std::string> types = words_of(stanza, "Types");
  if (types.empty()) refuse(place, "the stanza has no field 'Types'");
  for (const std::string &type : types) {
    if (type != "deb" && type != "deb-src") refuse(place, fmt::format("'{}' is no type of source", type));
  }
  std::vector<std::string> uris = words_of(stanza, "URIs");
  std::vector<std::string> suites = words_of(stanza, "Suites");
  if (uris.empty()) refuse(place, "the stanza has no field 'URIs'");
  if (suites.empty()) refuse(place, "the stanza has no field 'Suites'");
  SourceEntry common;
  common.signed_by = signed_by(stanza.get("Signed-By"));
  set_option(common, "arch", stanza.get("Architectures"), place);
  set_option(common, "trusted", stanza.get("Trusted"), place);
  if (const std::string *value = stanza.find("Check-Valid-Until")) common.check_valid_until = is_yes(*value);
  for (const std::string &uri : uris) {
    for (const std::string &suite : suites) {
      SourceEntry entry = common;
      entry.archive_root = archive_root(uri, place);
      set_suite(entry, with_architecture(suite, architecture), words_of(stanza, "Components"), place);
      if (std::find(types.begin(), types.end(), "deb") != types.end()) entries.push_back(std::move(entry));
    }
  }
}

std::vector<SourceEntry> parse_stanzas(std::string_view text, std::string_view name, std::string_view architecture) {
  std::vector<SourceEntry> entries;
  deb822::StanzaReader reader(text);
  while (auto view = reader.next()) {
    auto begin = text.begin() + (view->text().data() - text.data());
    auto line = static_cast<std::size_t>(std::count(text.begin(), begin, '\n')) + 1;
    Place place{name, line, view->text().substr(0, view->text().find('\n'))};
    deb822::Stanza stanza;
    try {
      stanza = deb822::Stanza::parse(view->text());
    } catch (const Error &error) {
      refuse(place, error.message());
    }
    if (!stanza.fields().empty()) parse_stanza(stanza, place, architecture, entries);
  }
  return entries;
}

}  // namespace

SourcesStyle guess_style(std::string_view text, std::string_view name) {
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    std::string_view trimmed = base::trim(line);
    if (trimmed.empty() || trimmed[0] == '#') continue;
    std::string_view word = base::split_words(trimmed, " \t").front();
    if (word == "deb" || word == "deb-src") return SourcesStyle::one_line;
    std::size_t colon = line.find(':');
    if (colon != 0 && colon != std::string_view::npos && line.find_first_of(" \t") > colon) return SourcesStyle::deb822;
    refuse({name, number, line}, "this begins neither a 'deb' line nor a stanza");
  }
  return SourcesStyle::empty;
}

std::vector<SourceEntry> parse_sources(SourcesStyle style, std::string_view text, std::string_view name,
                                       std::string_view architecture) {
  switch (style) {
    case SourcesStyle::one_line:
      return parse_lines(text, name, architecture);
    case SourcesStyle::deb822:
      return parse_stanzas(text, name, architecture);
    case SourcesStyle::empty:
      break;
  }
  return {};
}

std::string one_line_text(const std::vector<SourceEntry> &entries) {
  std::string out;
  for (const SourceEntry &entry : entries) {
    std::string_view options = entry.check_valid_until == false ? " [check-valid-until=no]" : "";
    out += fmt::format("deb{} {} {}", options, base::without_credentials(entry.archive_root), entry.suite);
    for (const std::string &component : entry.components) out += fmt::format(" {}", component);
    out += '\n';
  }
  return out;
}

std::string text_without_credentials(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(text.find_first_of(" \t\r\n\""), text.size());
    out += base::without_credentials(text.substr(0, end));
    if (end < text.size()) out += text[end++];
    text.remove_prefix(end);
  }
  return out;
}

}  // namespace debroot::plan
