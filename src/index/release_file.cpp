#include "index/release_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "deb822/stanza.hpp"
#include "debroot/error.hpp"
#include "index/packages_scan.hpp"

namespace debroot::index {
namespace {

std::string quoted(std::string_view subject) { return base::without_credentials(subject); }

[[noreturn]] void refuse(std::string_view subject, std::string_view cause) {
  throw Error(ErrorKind::index, fmt::format("cannot read Release of '{}': {}", quoted(subject), cause));
}

std::vector<std::string> words_of(std::string_view value) {
  std::vector<std::string> out;
  for (std::string_view word : base::split_words(value)) out.emplace_back(word);
  return out;
}

bool is_yes(std::string_view value) noexcept { return deb822::same_field(value, "yes"); }

bool contains(const std::vector<std::string> &list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::optional<std::int64_t> read_date(const deb822::StanzaView &stanza, std::string_view name,
                                      std::string_view subject) {
  auto value = stanza.find(name);
  if (!value || value->empty()) return std::nullopt;
  auto date = parse_date(*value);
  if (!date) refuse(subject, fmt::format("'{}' of field {} is no date", *value, name));
  return date;
}

/// Reads one line of the table, "digest size path".
void read_listed_file(std::string_view line, std::string_view subject, ReleaseFile &out) {
  auto cut = [&line] {
    line = base::trim(line);
    std::string_view word = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(word.size());
    return word;
  };
  std::string_view whole = base::trim(line);
  std::string_view digest = cut();
  auto size = base::parse_number(cut());
  std::string_view path = base::trim(line);
  while (path.starts_with("./")) path.remove_prefix(2);
  if (!is_sha256(digest) || !size || !is_safe_path(path)) {
    refuse(subject, fmt::format("'{}' is no line of a digest table", whole));
  }
  ListedFile file{std::string(digest), *size};
  for (char &c : file.sha256) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  out.files.emplace(path, std::move(file));
}

}  // namespace

ReleaseFile parse_release(const base::VerifiedBytes &text, std::string_view subject) {
  auto stanza = deb822::StanzaReader(text.view()).next();
  auto table = stanza ? stanza->find("SHA256") : std::nullopt;
  if (!table) refuse(subject, "it has no SHA256 table");
  ReleaseFile out;
  auto text_of = [&](std::string_view name) { return std::string(stanza->get(name)); };
  out.origin = text_of("Origin");
  out.label = text_of("Label");
  out.suite = text_of("Suite");
  out.codename = text_of("Codename");
  out.version = text_of("Version");
  out.date_text = text_of("Date");
  out.date = read_date(*stanza, "Date", subject);
  out.valid_until_text = text_of("Valid-Until");
  out.valid_until = read_date(*stanza, "Valid-Until", subject);
  out.components = words_of(stanza->get("Components"));
  out.architectures = words_of(stanza->get("Architectures"));
  out.has_by_hash = is_yes(stanza->get("Acquire-By-Hash"));
  out.is_not_automatic = is_yes(stanza->get("NotAutomatic"));
  out.is_but_automatic_upgrades = is_yes(stanza->get("ButAutomaticUpgrades"));
  out.has_all_in_every_index = contains(words_of(stanza->get("No-Support-for-Architecture-all")), "Packages");
  for (std::string_view line : base::split(*table, '\n')) {
    if (!base::trim(line).empty()) read_listed_file(line, subject, out);
  }
  return out;
}

bool supports_component(const ReleaseFile &release, std::string_view component) {
  if (release.components.empty()) return true;
  return std::any_of(release.components.begin(), release.components.end(), [&](std::string_view listed) {
    return listed == component || listed.substr(listed.rfind('/') + 1) == component;
  });
}

bool supports_architecture(const ReleaseFile &release, std::string_view architecture) {
  return release.architectures.empty() || contains(release.architectures, architecture);
}

namespace {

/// Whether `release` may stand under the name `requested`.
bool is_suite(const ReleaseFile &release, std::string_view requested) {
  if (requested.empty() || requested.ends_with('/')) return true;
  if (release.suite.empty() && release.codename.empty()) return true;
  if (requested == "../project/experimental") requested = "experimental";
  std::string_view name = requested.substr(0, requested.rfind('/'));
  if (name == release.suite || name == release.codename || requested == release.suite ||
      requested == release.codename) {
    return true;
  }
  // a link to the series in development, whose Release bears that series' name
  return release.origin == "Ubuntu" && (name == "devel" || name.starts_with("devel-"));
}

void check_suite(const ReleaseFile &release, std::string_view requested, std::string_view subject) {
  if (is_suite(release, requested)) return;
  const std::string &name = release.codename.empty() ? release.suite : release.codename;
  throw Error(ErrorKind::trust, fmt::format("Release of '{}' is of another suite", quoted(subject)))
      .detail("expected", fmt::format("suite or codename '{}'", requested))
      .detail("got", fmt::format("suite '{}', codename '{}'", release.suite, release.codename))
      .hint(fmt::format("request the suite as '{}'", name));
}

}  // namespace

void check_release(const ReleaseFile &release, std::string_view requested, const std::vector<std::string> &components,
                   const std::vector<std::string> &architectures, std::string_view subject) {
  check_suite(release, requested, subject);
  for (const std::string &component : components) {
    if (supports_component(release, component)) continue;
    throw Error(ErrorKind::index, fmt::format("suite '{}' has no component '{}'", quoted(subject), component))
        .detail("expected", fmt::format("one of {}", base::join(release.components, ", ")));
  }
  for (const std::string &architecture : architectures) {
    if (supports_architecture(release, architecture)) continue;
    throw Error(ErrorKind::index, fmt::format("suite '{}' has no architecture '{}'", quoted(subject), architecture))
        .detail("expected", fmt::format("one of {}", base::join(release.architectures, ", ")));
  }
}

void check_freshness(const ReleaseFile &release, std::int64_t now, const FreshnessPolicy &policy,
                     std::string_view subject) {
  if (!policy.check_date) return;  // the clock is not to be trusted, so nothing can be said (apt.conf(5))
  if (release.date && *release.date > now + policy.max_future_seconds) {
    throw Error(ErrorKind::trust, fmt::format("Release of '{}' is not valid yet: it is dated {}, {} seconds ahead",
                                              quoted(subject), release.date_text, *release.date - now))
        .hint("set the clock, or --aptopt 'Acquire::Check-Date \"false\"'");
  }
  if (!policy.check_valid_until) return;
  std::optional<std::int64_t> until = release.valid_until;
  std::string shown = release.valid_until_text;
  if (until && release.date && policy.min_valid_seconds) {
    until = std::max(*until, *release.date + *policy.min_valid_seconds);
  }
  if (release.date && policy.max_valid_seconds) {
    std::int64_t limit = *release.date + *policy.max_valid_seconds;
    if (!until || limit < *until) {
      until = limit;
      shown = fmt::format("{} seconds after {}", *policy.max_valid_seconds, release.date_text);
    }
  }
  if (!until || now <= *until) return;
  throw Error(ErrorKind::trust,
              fmt::format("Release of '{}' has expired: it was valid until {}", quoted(subject), shown))
      .hint("--aptopt 'Acquire::Check-Valid-Until \"false\"'");
}

}  // namespace debroot::index
