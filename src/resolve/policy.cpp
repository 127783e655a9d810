#include "resolve/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.hpp"
#include "deb822/stanza.hpp"
#include "debroot/error.hpp"
#include "resolve/expression.hpp"

namespace debroot::resolve {
namespace {

constexpr int kDefaultReleasePriority = 990;
constexpr int kOrdinaryPriority = 500;
constexpr int kInstalledPriority = 100;
constexpr int kNotAutomaticPriority = 1;
constexpr int kDowngradePriority = 1000;  ///< from here on a pin may go below the installed version
constexpr int kHighestPriority = std::numeric_limits<short>::max();

Pin::Kind parse_kind(std::string_view word, std::string_view path) {
  if (deb822::same_field(word, "version")) return Pin::Kind::version;
  if (deb822::same_field(word, "release")) return Pin::Kind::release;
  if (deb822::same_field(word, "origin")) return Pin::Kind::origin;
  throw Error(ErrorKind::usage, fmt::format("cannot read preferences '{}': unknown pin type '{}'", path, word));
}

int parse_priority(std::string_view text, std::string_view path) {
  bool is_negative = text.starts_with('-');
  std::optional<std::uint64_t> number = base::parse_number(is_negative ? text.substr(1) : text);
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(kHighestPriority)) {
    throw Error(ErrorKind::usage, fmt::format("cannot read preferences '{}': '{}' is no pin priority", path, text));
  }
  return is_negative ? -static_cast<int>(*number) : static_cast<int>(*number);
}

/// A version as `pkg=…` and `Pin: version` write it: exact, with a star behind it, or an expression.
bool version_matches(const std::string &pattern, std::string_view version) {
  if (pattern.ends_with('*') && version.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1))) {
    return true;
  }
  return expression_matches(pattern, version);
}

bool origin_matches(std::string pattern, const debian::PackageSource &source) {
  if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"') {
    pattern = pattern.substr(1, pattern.size() - 2);
  }
  return expression_matches(pattern, source.site);
}

bool pin_matches_source(const Pin &pin, const debian::PackageSource &source) {
  if (pin.kind == Pin::Kind::origin) return origin_matches(pin.data, source);
  return pin.kind == Pin::Kind::release && ReleaseMatch(pin.data).matches(source);
}

/// The source package that `package` was built from.
std::string_view source_name(const debian::BinaryPackage &package) {
  std::string_view field = package.stanza.get("Source");
  if (field.empty()) return package.name;
  return field.substr(0, field.find_first_of(" \t("));
}

/// Whether one word of a Package field means `package`; without an architecture it means the native one only.
bool names_package(std::string_view word, const debian::BinaryPackage &package, std::string_view native) {
  std::string_view name = package.name;
  if (word.starts_with("src:")) {
    word.remove_prefix(4);
    name = source_name(package);
  }
  std::string_view architecture = native;
  if (std::size_t colon = word.rfind(':'); colon != std::string_view::npos && !is_expression(word.substr(colon))) {
    architecture = word.substr(colon + 1);
    word = word.substr(0, colon);
  }
  std::string_view own = package.architecture == "all" ? native : package.architecture;
  if (architecture != "any" && architecture != own && !(architecture == "native" && own == native)) return false;
  if (!is_expression(word)) return word == name;
  return expression_matches(std::string(word), name);
}

}  // namespace

std::vector<Pin> parse_preferences(std::string_view text, std::string_view path) {
  std::vector<Pin> pins;
  deb822::StanzaReader reader(text);
  while (std::optional<deb822::StanzaView> stanza = reader.next()) {
    if (!stanza->find("Package") && !stanza->find("Pin") && !stanza->find("Pin-Priority")) continue;
    std::string_view packages = stanza->get("Package");
    if (packages.empty()) {
      throw Error(ErrorKind::usage, fmt::format("cannot read preferences '{}': a stanza has no Package field", path));
    }
    std::string_view value = stanza->get("Pin");
    if (value.empty()) continue;
    Pin pin;
    std::size_t blank = value.find_first_of(" \t\n");
    pin.kind = parse_kind(value.substr(0, blank), path);
    if (blank != std::string_view::npos) pin.data = base::trim(value.substr(blank));
    std::string_view priority = stanza->get("Pin-Priority");
    pin.is_never = priority == "never";
    if (!pin.is_never) pin.priority = parse_priority(priority, path);
    if (packages != "*") {
      for (std::string_view word : base::split_words(packages)) pin.packages.emplace_back(word);
    }
    pins.push_back(std::move(pin));
  }
  return pins;
}

ReleaseMatch::ReleaseMatch(std::string_view text) {
  if (text == "*") {
    matches_all_ = true;
  } else if (text.find('=') == std::string_view::npos) {
    if (text.empty()) return;
    bool is_number = text[0] >= '0' && text[0] <= '9';
    terms_.push_back({is_number ? 'v' : 'r', std::string(text)});
  } else {
    for (std::string_view piece : base::split(text, ',')) {
      piece = base::trim(piece);
      if (piece.size() < 3 || piece[1] != '=') continue;
      terms_.push_back({static_cast<char>(piece[0] | 0x20), std::string(piece.substr(2))});
    }
  }
}

bool ReleaseMatch::matches(const debian::PackageSource &source) const {
  if (matches_all_) return true;
  auto fits = [&](const Term &term) {
    switch (term.field) {
      case 'r':
        return expression_matches(term.value, source.suite) || expression_matches(term.value, source.codename);
      case 'v':
        return version_matches(term.value, source.version);
      case 'o':
        return expression_matches(term.value, source.origin);
      case 'a':
        return expression_matches(term.value, source.suite);
      case 'n':
        return expression_matches(term.value, source.codename);
      case 'l':
        return expression_matches(term.value, source.label);
      case 'c':
        return expression_matches(term.value, source.component);
      default:
        return false;
    }
  };
  return !terms_.empty() && std::all_of(terms_.begin(), terms_.end(), fits);
}

Priorities::Priorities(const debian::PackageIndex &index, const Policy &policy) : index_(&index), policy_(&policy) {
  has_specific_ = std::any_of(policy.preferences.begin(), policy.preferences.end(),
                              [](const Pin &pin) { return !pin.packages.empty(); });
  std::optional<ReleaseMatch> default_release;
  if (!policy.default_release.empty()) default_release.emplace(policy.default_release);
  bool is_default_known = false;
  for (const debian::PackageSource &source : index.sources()) {
    int priority = kOrdinaryPriority;
    if (source.is_but_automatic_upgrades) {
      priority = kInstalledPriority;
    } else if (source.is_not_automatic) {
      priority = kNotAutomaticPriority;
    }
    bool is_never = false;
    bool is_settled = false;
    if (default_release && default_release->matches(source)) {
      priority = kDefaultReleasePriority;
      is_settled = is_default_known = true;
    }
    for (const Pin &pin : policy.preferences) {
      if (!pin.packages.empty() || (is_settled && !pin.is_never) || !pin_matches_source(pin, source)) continue;
      is_settled = true;
      if (pin.is_never) is_never = true;
      priority = pin.priority;
    }
    of_source_.push_back(priority);
    is_never_source_.push_back(is_never);
  }
  if (default_release && !is_default_known) {
    throw Error(ErrorKind::usage,
                fmt::format("no source belongs to APT::Default-Release '{}'", policy.default_release));
  }
}

const Pin *Priorities::specific_pin(debian::PackageRef package) const {
  const debian::BinaryPackage &binary = index_->at(package);
  for (const Pin &pin : policy_->preferences) {
    auto is_named = [&](const std::string &word) { return names_package(word, binary, policy_->architecture); };
    if (!std::any_of(pin.packages.begin(), pin.packages.end(), is_named)) continue;
    if (pin.kind == Pin::Kind::version) {
      if (version_matches(pin.data, binary.version)) return &pin;
      continue;
    }
    auto fits = [&](std::uint32_t source) { return pin_matches_source(pin, index_->sources()[source]); };
    if (std::any_of(binary.sources.begin(), binary.sources.end(), fits)) return &pin;
  }
  return nullptr;
}

int Priorities::of(debian::PackageRef package) const {
  const debian::BinaryPackage &binary = index_->at(package);
  auto is_never = [&](std::uint32_t source) { return is_never_source_[source]; };
  bool is_never_everywhere =
      !binary.sources.empty() && std::all_of(binary.sources.begin(), binary.sources.end(), is_never);
  if (is_never_everywhere) return std::numeric_limits<short>::min();
  if (has_specific_) {
    if (const Pin *pin = specific_pin(package)) return pin->priority;
  }
  int best = std::numeric_limits<int>::min();
  for (std::uint32_t source : binary.sources) {
    if (!is_never_source_[source]) best = std::max(best, of_source_[source]);
  }
  // A package without a source was handed over as a file, which is how apt treats a .deb on its command line.
  return binary.sources.empty() ? kOrdinaryPriority : best;
}

std::optional<debian::PackageRef> Priorities::candidate(const std::vector<debian::PackageRef> &versions,
                                                        std::optional<debian::PackageRef> installed) const {
  std::optional<debian::PackageRef> best;
  int best_priority = -1;
  for (debian::PackageRef version : versions) {
    int priority = of(version);
    if (version == installed) priority = std::max(priority, kInstalledPriority);
    if (priority == 0 || priority <= best_priority) continue;
    if (installed && priority < kDowngradePriority &&
        debian::compare_versions(index_->at(version).version, index_->at(*installed).version) < 0) {
      continue;
    }
    best_priority = priority;
    best = version;
  }
  return best;
}

}  // namespace debroot::resolve
