#include "index/packages_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/compression.hpp"
#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::index {
namespace {

enum class Name : std::size_t {
  package,
  version,
  architecture,
  provides,
  priority,
  multi_arch,
  essential,
  filename,
  size,
  sha256,
  count
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Name::count)> kNames = {
    "Package",    "Version",   "Architecture", "Provides", "Priority",
    "Multi-Arch", "Essential", "Filename",     "Size",     "SHA256"};

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool has_only(std::string_view text, std::string_view others) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

// Policy 5.6.7 without its demand for lower case and length, which archives beside Debian's do not keep
bool is_package_name(std::string_view text) noexcept {
  return !text.empty() && is_alphanumeric(text[0]) && has_only(text, "+-._");
}
// Policy 5.6.12
bool is_version(std::string_view text) noexcept {
  return !text.empty() && is_alphanumeric(text[0]) && has_only(text, ".+-~:");
}

/// The one pass over a text.
class Scanner {
 public:
  Scanner(std::string_view text, const std::vector<std::string> &architectures, std::string_view subject)
      : text_(text), architectures_(architectures), subject_(subject) {}

  std::vector<debian::BinaryPackage> run() {
    const char *at = text_.data();
    const char *end = at + text_.size();
    while (at < end) {
      const void *found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
      const char *line_end = found == nullptr ? end : static_cast<const char *>(found);
      take_line(at, line_end);
      at = line_end + 1;
    }
    finish_stanza(end);
    return std::move(packages_);
  }

 private:
  [[noreturn]] void refuse(const char *where, std::string_view cause) const {
    auto line = std::count(text_.data(), where, '\n') + 1;
    throw Error(ErrorKind::index,
                fmt::format("cannot read '{}': line {}: {}", base::without_credentials(subject_), line, cause));
  }

  void take_line(const char *begin, const char *end) {
    if (begin == end || *begin == ' ' || *begin == '\t' || *begin == '\r') {
      continue_field(begin, end);
      return;
    }
    if (*begin == '#') return;
    if (stanza_begin_ == nullptr) stanza_begin_ = begin;
    const auto *colon = static_cast<const char *>(std::memchr(begin, ':', static_cast<std::size_t>(end - begin)));
    if (colon == nullptr || colon == begin) refuse(begin, "it is no field");
    field_ = find_field({begin, static_cast<std::size_t>(colon - begin)});
    if (field_ == nullptr) {
      field_ = &ignored_;
    } else if (field_->data() != nullptr) {
      refuse(begin, "the field stands there twice");
    }
    *field_ = base::trim({colon + 1, static_cast<std::size_t>(end - colon - 1)});
    // NOLINTNEXTLINE(bugprone-string-constructor): present and empty is not absent
    if (field_->data() == nullptr) *field_ = {end, 0};
  }

  /// A line that is blank ends the stanza, one that begins with a blank belongs to the field before.
  void continue_field(const char *begin, const char *end) {
    std::string_view more = base::trim({begin, static_cast<std::size_t>(end - begin)});
    if (more.empty()) {
      finish_stanza(begin);
      return;
    }
    if (stanza_begin_ == nullptr || field_ == nullptr) refuse(begin, "it continues no field");
    const char *value = field_->empty() ? more.data() : field_->data();
    *field_ = {value, static_cast<std::size_t>(more.data() + more.size() - value)};
  }

  /// Where a field's value is kept, null for one that is not looked at. The length tells most names apart.
  std::string_view *find_field(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (kNames[i].size() == name.size() && deb822::same_field(kNames[i], name)) return &values_[i];
    }
    return nullptr;
  }

  [[nodiscard]] std::string_view value(Name name) const noexcept { return values_[static_cast<std::size_t>(name)]; }

  void finish_stanza(const char *end) {
    if (stanza_begin_ == nullptr) return;
    if (is_wanted()) {
      check();
      debian::BinaryPackage &package = packages_.emplace_back();
      package.name = value(Name::package);
      package.version = value(Name::version);
      package.architecture = value(Name::architecture);
      package.provides = value(Name::provides);
      package.stanza = deb822::StanzaView({stanza_begin_, static_cast<std::size_t>(end - stanza_begin_)});
      package.priority = debian::parse_priority(value(Name::priority));
      package.multi_arch = debian::parse_multi_arch(value(Name::multi_arch));
      package.is_essential = value(Name::essential) == "yes";
    }
    stanza_begin_ = nullptr;
    field_ = nullptr;
    values_ = {};
  }

  [[nodiscard]] bool is_wanted() const {
    std::string_view architecture = value(Name::architecture);
    if (architecture.empty()) refuse(stanza_begin_, "stanza without Architecture");
    return architecture == "all" ||
           std::find(architectures_.begin(), architectures_.end(), architecture) != architectures_.end();
  }

  void check() const {
    auto demand = [this](Name name, bool (*is_valid)(std::string_view) noexcept) {
      std::string_view text = value(name);
      std::string_view field = kNames[static_cast<std::size_t>(name)];
      if (text.empty()) refuse(stanza_begin_, fmt::format("stanza of '{}' has no {}", value(Name::package), field));
      if (!is_valid(text)) refuse(text.data(), fmt::format("'{}' is no valid {}", text, field));
    };
    demand(Name::package, is_package_name);
    demand(Name::version, is_version);
    demand(Name::filename, is_safe_path);
    demand(Name::size, [](std::string_view text) noexcept { return base::parse_number(text).has_value(); });
    demand(Name::sha256, is_sha256);
  }

  std::string_view text_;
  const std::vector<std::string> &architectures_;
  std::string_view subject_;
  std::vector<debian::BinaryPackage> packages_;
  std::array<std::string_view, kNames.size()> values_;
  std::string_view ignored_;
  std::string_view *field_ = nullptr;  ///< the value being read, null outside of a field
  const char *stanza_begin_ = nullptr;
};

/// "deb.debian.org" of "http://user@deb.debian.org:80/debian"; empty for file:// and what is no URI.
std::string host_of(std::string_view uri) {
  std::size_t scheme = uri.find("://");
  if (scheme == std::string_view::npos) return {};
  uri.remove_prefix(scheme + 3);
  uri = uri.substr(0, uri.find('/'));
  if (std::size_t at = uri.rfind('@'); at != std::string_view::npos) uri.remove_prefix(at + 1);
  if (uri.starts_with('[')) return std::string(uri.substr(1, uri.find(']') - 1));
  return std::string(uri.substr(0, uri.find(':')));
}

}  // namespace

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

bool is_safe_path(std::string_view path) noexcept {
  if (path.empty() || path[0] == '/') return false;
  for (char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  while (true) {
    std::size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

ScannedPackages scan_packages(const base::VerifiedBytes &packages, const std::vector<std::string> &architectures,
                              std::string_view subject) {
  ScannedPackages out;
  out.text = std::make_shared<const std::string>(
      base::decompress(packages.view(), base::without_credentials(subject), kPackagesLimitBytes));
  out.packages = Scanner(*out.text, architectures, subject).run();
  return out;
}

std::size_t add_packages(debian::PackageIndex &index, ScannedPackages scanned, debian::PackageSource source) {
  std::uint32_t number = index.add_source(std::move(source));
  index.keep(std::move(scanned.text));
  index.reserve(scanned.packages.size());
  for (debian::BinaryPackage &package : scanned.packages) {
    package.sources.push_back(number);
    index.add(std::move(package));
  }
  return scanned.packages.size();
}

std::size_t add_packages(debian::PackageIndex &index, const base::VerifiedBytes &packages, debian::PackageSource source,
                         const std::vector<std::string> &architectures, std::string_view subject) {
  return add_packages(index, scan_packages(packages, architectures, subject), std::move(source));
}

debian::PackageSource make_source(const ReleaseFile &release, std::string_view archive_root, std::string_view requested,
                                  std::string_view component) {
  debian::PackageSource out;
  out.archive_root = archive_root;
  out.suite = release.suite;
  out.codename = release.codename;
  out.requested = requested;
  out.component = component;
  out.origin = release.origin;
  out.label = release.label;
  out.version = release.version;
  out.site = host_of(archive_root);
  out.is_not_automatic = release.is_not_automatic;
  out.is_but_automatic_upgrades = release.is_but_automatic_upgrades;
  return out;
}

}  // namespace debroot::index
