#include "dpkgdb/package_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "debian/relation.hpp"
#include "debroot/error.hpp"

namespace debroot::dpkgdb {
namespace {

constexpr std::array<std::string_view, 5> kWants = {"unknown", "install", "hold", "deinstall", "purge"};
constexpr std::array<std::string_view, 2> kFlags = {"ok", "reinstreq"};
constexpr std::array<std::string_view, 8> kStates = {"not-installed",    "config-files",    "half-installed",
                                                     "unpacked",         "half-configured", "triggers-awaited",
                                                     "triggers-pending", "installed"};

/// Fields that dpkg knows, in the order of its own table; what it does not know follows in the order of the control
/// file. The names in kOwn are written from the record's state rather than from the control file.
constexpr std::array<std::string_view, 26> kFieldOrder = {
    "Package",        "Essential",  "Protected", "Status",       "Priority",    "Section",    "Installed-Size",
    "Origin",         "Maintainer", "Bugs",      "Architecture", "Multi-Arch",  "Source",     "Version",
    "Config-Version", "Replaces",   "Provides",  "Depends",      "Pre-Depends", "Recommends", "Suggests",
    "Breaks",         "Conflicts",  "Enhances",  "Conffiles",    "Description"};
constexpr std::array<std::string_view, 9> kRelations = {
    "Replaces", "Provides", "Depends", "Pre-Depends", "Recommends", "Suggests", "Breaks", "Conflicts", "Enhances"};
constexpr std::array<std::string_view, 5> kOwn = {"Status", "Config-Version", "Conffiles", "Triggers-Pending",
                                                  "Triggers-Awaited"};
/// What dpkg knows of a package before it has unpacked it for the first time.
constexpr std::array<std::string_view, 6> kKnownAtOnce = {"Package",      "Priority",   "Section",
                                                          "Architecture", "Multi-Arch", "Version"};
/// Fields of `available` only.
constexpr std::array<std::string_view, 4> kNeverWritten = {"Filename", "Size", "MD5sum", "MSDOS-Filename"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N> &names, std::string_view name) noexcept {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view known) { return deb822::same_field(known, name); });
}

template <class Enum, std::size_t N>
Enum parse_word(const std::array<std::string_view, N> &words, std::string_view word) {
  const auto *found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) throw Error(ErrorKind::package, fmt::format("'{}' is no word of a Status field", word));
  return static_cast<Enum>(found - words.begin());
}

std::string conffiles_value(const std::vector<Conffile> &conffiles) {
  std::string out;
  for (const Conffile &conffile : conffiles) {
    out += fmt::format("\n {} {}", conffile.path, conffile.hash);
    if (conffile.is_obsolete) out += " obsolete";
    if (conffile.is_remove_on_upgrade) out += " remove-on-upgrade";
  }
  return out;
}

std::vector<Conffile> parse_conffiles(std::string_view value) {
  std::vector<Conffile> conffiles;
  for (std::string_view line : base::split(value, '\n')) {
    std::vector<std::string_view> words = base::split_words(line);
    if (words.empty()) continue;
    Conffile conffile;
    while (words.size() > 2 && (words.back() == "obsolete" || words.back() == "remove-on-upgrade")) {
      (words.back() == "obsolete" ? conffile.is_obsolete : conffile.is_remove_on_upgrade) = true;
      words.pop_back();
    }
    if (words.size() < 2) throw Error(ErrorKind::package, fmt::format("'{}' is no line of a Conffiles field", line));
    conffile.hash = std::string(words.back());
    std::size_t path_length = static_cast<std::size_t>(words.back().data() - line.data());
    conffile.path = std::string(base::trim(line.substr(0, path_length)));
    conffiles.push_back(std::move(conffile));
  }
  return conffiles;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return text;
}

std::vector<std::string> words_of(const std::string &value) {
  std::vector<std::string_view> words = base::split_words(value);
  return {words.begin(), words.end()};
}

/// Value of a field as dpkg's writer gives it back; empty for what it leaves out.
std::string written_value(std::string_view name, const std::string &raw) {
  if (name == "Priority") return lower_case(raw);
  if (name == "Version" && raw.substr(0, 2) == "0:") return raw.substr(2);
  if (contains(kRelations, name)) return debian::to_string(debian::parse_relations(raw));
  if (name == "Multi-Arch" && raw == "no") return {};
  if ((name == "Essential" || name == "Protected") && raw != "yes") return {};
  return raw;
}

void put(std::string &out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += name;
  out += value[0] == '\n' ? ":" : ": ";
  out += value;
  out += '\n';
}

}  // namespace

std::string_view state_name(State state) noexcept { return kStates[static_cast<std::size_t>(state)]; }

bool implies_config_version(State state) noexcept {
  return state == State::installed || state == State::triggers_pending;
}

std::string PackageRecord::info_name() const {
  return multi_arch() == debian::MultiArch::same ? name() + ":" + architecture() : name();
}

std::string PackageRecord::stanza() const {
  std::string out;
  for (std::string_view name : kFieldOrder) {
    if (name == "Status") {
      put(out, name,
          fmt::format("{} {} {}", kWants[static_cast<std::size_t>(want)], kFlags[static_cast<std::size_t>(flag)],
                      state_name(state)));
    } else if (name == "Config-Version") {
      // dpkg omits it in the states in which it equals Version or means nothing
      bool is_written = state != State::installed && state != State::not_installed && state != State::triggers_pending;
      if (is_written) put(out, name, config_version);
    } else if (name == "Conffiles") {
      put(out, name, conffiles_value(conffiles));
    } else if (const std::string *value = control.find(name)) {
      put(out, name, written_value(name, *value));
    }
  }
  put(out, "Triggers-Pending", base::join(triggers_pending, " "));
  put(out, "Triggers-Awaited", base::join(triggers_awaited, " "));
  for (const deb822::Field &field : control.fields()) {
    if (!contains(kFieldOrder, field.name) && !contains(kNeverWritten, field.name)) put(out, field.name, field.value);
  }
  return out;
}

PackageRecord PackageRecord::begun() const {
  PackageRecord out = *this;
  for (const deb822::Field &field : control.fields()) {
    if (!contains(kKnownAtOnce, field.name)) out.control.remove(field.name);
  }
  out.conffiles.clear();
  return out;
}

PackageRecord PackageRecord::parse(std::string_view text) {
  PackageRecord record;
  record.control = deb822::Stanza::parse(text);
  parse_status_field(record.control.get("Status"), record);
  record.conffiles = parse_conffiles(record.control.get("Conffiles"));
  record.triggers_pending = words_of(record.control.get("Triggers-Pending"));
  record.triggers_awaited = words_of(record.control.get("Triggers-Awaited"));
  record.config_version = record.control.get("Config-Version");
  if (record.config_version.empty() && implies_config_version(record.state)) record.config_version = record.version();
  for (std::string_view name : kOwn) record.control.remove(name);
  return record;
}

void parse_status_field(std::string_view value, PackageRecord &record) {
  std::vector<std::string_view> words = base::split_words(value);
  if (words.size() != 3) throw Error(ErrorKind::package, fmt::format("'{}' is no Status field", value));
  record.want = parse_word<Want>(kWants, words[0]);
  record.flag = parse_word<Flag>(kFlags, words[1]);
  record.state = parse_word<State>(kStates, words[2]);
}

}  // namespace debroot::dpkgdb
