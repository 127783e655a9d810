#include "plan/suites.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plan/names.hpp"
#include "plan/sources_text.hpp"

namespace debroot::plan {
namespace {

using enum SuiteKind;

// Codenames as distro-info lists them, and the aliases that dists/ of each vendor has.
constexpr std::array kSuites = {
    KnownSuite{"stable", debian_release},
    KnownSuite{"oldstable", debian_release},
    KnownSuite{"oldoldstable", debian_release},
    KnownSuite{"testing", debian_development},
    KnownSuite{"unstable", debian_development},
    KnownSuite{"experimental", debian_development},
    KnownSuite{"sid", debian_development},
    KnownSuite{"rc-buggy", debian_development},
    KnownSuite{"duke", debian_development},
    KnownSuite{"forky", debian_development},
    KnownSuite{"trixie", debian_release},
    KnownSuite{"bookworm", debian_release},
    KnownSuite{"bullseye", debian_release},
    KnownSuite{"buster", debian_early_release},
    KnownSuite{"stretch", debian_early_release},
    KnownSuite{"jessie", debian_early_release},
    KnownSuite{"wheezy", debian_early_release},
    KnownSuite{"squeeze", debian_early_release},
    KnownSuite{"lenny", debian_early_release},
    KnownSuite{"etch", debian_early_release},
    KnownSuite{"sarge", debian_early_release},
    KnownSuite{"woody", debian_early_release},
    KnownSuite{"potato", debian_early_release},
    KnownSuite{"slink", debian_early_release},
    KnownSuite{"hamm", debian_early_release},
    KnownSuite{"bo", debian_early_release},
    KnownSuite{"rex", debian_early_release},
    KnownSuite{"buzz", debian_early_release},
    KnownSuite{"devel", ubuntu},
    KnownSuite{"resolute", ubuntu},
    KnownSuite{"questing", ubuntu},
    KnownSuite{"plucky", ubuntu},
    KnownSuite{"oracular", ubuntu},
    KnownSuite{"noble", ubuntu},
    KnownSuite{"mantic", ubuntu},
    KnownSuite{"lunar", ubuntu},
    KnownSuite{"kinetic", ubuntu},
    KnownSuite{"jammy", ubuntu},
    KnownSuite{"impish", ubuntu},
    KnownSuite{"hirsute", ubuntu},
    KnownSuite{"groovy", ubuntu},
    KnownSuite{"focal", ubuntu},
    KnownSuite{"eoan", ubuntu},
    KnownSuite{"disco", ubuntu},
    KnownSuite{"cosmic", ubuntu},
    KnownSuite{"bionic", ubuntu},
    KnownSuite{"artful", ubuntu},
    KnownSuite{"zesty", ubuntu},
    KnownSuite{"yakkety", ubuntu},
    KnownSuite{"xenial", ubuntu},
    KnownSuite{"wily", ubuntu},
    KnownSuite{"vivid", ubuntu},
    KnownSuite{"utopic", ubuntu},
    KnownSuite{"trusty", ubuntu},
    KnownSuite{"saucy", ubuntu},
    KnownSuite{"raring", ubuntu},
    KnownSuite{"quantal", ubuntu},
    KnownSuite{"precise", ubuntu},
    KnownSuite{"oneiric", ubuntu},
    KnownSuite{"natty", ubuntu},
    KnownSuite{"maverick", ubuntu},
    KnownSuite{"lucid", ubuntu},
    KnownSuite{"karmic", ubuntu},
    KnownSuite{"jaunty", ubuntu},
    KnownSuite{"intrepid", ubuntu},
    KnownSuite{"hardy", ubuntu},
    KnownSuite{"gutsy", ubuntu},
    KnownSuite{"feisty", ubuntu},
    KnownSuite{"edgy", ubuntu},
    KnownSuite{"dapper", ubuntu},
    KnownSuite{"breezy", ubuntu},
    KnownSuite{"hoary", ubuntu},
    KnownSuite{"warty", ubuntu},
    KnownSuite{"kali-rolling", kali},
    KnownSuite{"kali-dev", kali},
    KnownSuite{"kali-last-snapshot", kali},
    KnownSuite{"kali-bleeding-edge", kali},
    KnownSuite{"dasyatis", tanglu},
    KnownSuite{"chromodoris", tanglu},
    KnownSuite{"bartholomea", tanglu},
    KnownSuite{"aequorea", tanglu},
    KnownSuite{"aria", elxr},
};

constexpr std::string_view kDebian = "http://deb.debian.org/debian";
constexpr std::string_view kDebianSecurity = "http://security.debian.org/debian-security";
constexpr std::string_view kDebianArchive = "http://archive.debian.org/debian";
constexpr std::string_view kDebianArchiveSecurity = "http://archive.debian.org/debian-security";
constexpr std::string_view kKali = "https://http.kali.org/kali";
constexpr std::string_view kTanglu = "http://archive.tanglu.org/tanglu";
constexpr std::string_view kElxr = "https://mirror.elxr.dev";
constexpr std::string_view kUbuntu = "http://archive.ubuntu.com/ubuntu";
constexpr std::string_view kUbuntuSecurity = "http://security.ubuntu.com/ubuntu";
constexpr std::string_view kUbuntuPorts = "http://ports.ubuntu.com/ubuntu-ports";
constexpr std::string_view kUbuntuArchive = "http://old-releases.ubuntu.com/ubuntu";

/// Suites beside a release that are no system by themselves.
constexpr std::array<std::string_view, 6> kPockets = {"-updates",  "-security",         "-backports",
                                                      "-proposed", "-proposed-updates", "-backports-sloppy"};

SourceEntry entry(std::string_view archive_root, std::string suite, const std::vector<std::string> &components) {
  SourceEntry made;
  made.archive_root = archive_root;
  made.suite = std::move(suite);
  made.components = components;
  return made;
}

std::string security_suite(const KnownSuite &suite) {
  return fmt::format("{}{}", suite.name, suite.kind == debian_early_release ? "/updates" : "-security");
}

}  // namespace

std::span<const KnownSuite> known_suites() noexcept { return kSuites; }

const KnownSuite *find_suite(std::string_view name) noexcept {
  const auto *found = std::find_if(kSuites.begin(), kSuites.end(), [&](auto &suite) { return suite.name == name; });
  return found == kSuites.end() ? nullptr : found;
}

std::string_view vendor_of(const KnownSuite &suite) noexcept {
  switch (suite.kind) {
    case ubuntu:
      return "ubuntu";
    case kali:
      return "kali";
    case tanglu:
      return "tanglu";
    case elxr:
      return "elxr";
    case debian_development:
    case debian_release:
    case debian_early_release:
      break;
  }
  return "debian";
}

std::vector<SourceEntry> default_entries(const KnownSuite &suite, std::string_view architecture,
                                         const std::vector<std::string> &components) {
  std::string name(suite.name);
  if (suite.kind == debian_development) return {entry(kDebian, name, components)};
  if (suite.kind == kali) return {entry(kKali, name, components)};
  if (suite.kind == elxr) return {entry(kElxr, name, components)};
  if (suite.kind == tanglu) return {entry(kTanglu, name, components), entry(kTanglu, name + "-updates", components)};
  if (suite.kind != ubuntu) {
    return {entry(kDebian, name, components), entry(kDebian, name + "-updates", components),
            entry(kDebianSecurity, security_suite(suite), components)};
  }
  bool is_port = architecture != "amd64" && architecture != "i386";
  std::string_view root = is_port ? kUbuntuPorts : kUbuntu;
  return {entry(root, name, components), entry(root, name + "-updates", components),
          entry(is_port ? kUbuntuPorts : kUbuntuSecurity, name + "-security", components)};
}

std::vector<SourcesFile> archived_sources(const BuildPlan &plan) {
  const KnownSuite *suite = find_suite(plan.suite);
  if (!plan.has_default_sources || suite == nullptr || suite->kind == debian_development) return {};
  if (suite->kind == kali || suite->kind == tanglu || suite->kind == elxr) return {};
  const std::vector<std::string> &components = plan.sources.front().entries.front().components;
  std::string name(suite->name);
  SourcesFile file;
  file.path = plan.sources.front().path;
  if (suite->kind == ubuntu) {
    file.entries = {entry(kUbuntuArchive, name, components), entry(kUbuntuArchive, name + "-updates", components),
                    entry(kUbuntuArchive, name + "-security", components)};
  } else {
    file.entries = {entry(kDebianArchive, name, components),
                    entry(kDebianArchiveSecurity, security_suite(*suite), components)};
  }
  for (SourceEntry &made : file.entries) made.check_valid_until = false;
  file.text = one_line_text(file.entries);
  return {file};
}

void refuse_unknown_suite(std::string_view name) {
  Error error = usage_error(fmt::format("unknown suite '{}'", name));
  for (std::string_view pocket : kPockets) {
    if (!name.ends_with(pocket)) continue;
    std::string_view base_suite = name.substr(0, name.size() - pocket.size());
    const KnownSuite *suite = find_suite(base_suite);
    if (suite == nullptr) continue;
    throw error.hint(fmt::format("build '{}', with --mirror for each of its sources; '{}' alone is no whole system",
                                 base_suite, name));
  }
  std::vector<std::string_view> names;
  for (const KnownSuite &suite : kSuites) names.push_back(suite.name);
  if (auto near = nearest_name(name, names)) {
    throw error.hint(fmt::format("did you mean '{}'? or give the archive with --mirror", *near));
  }
  throw error.hint("give the archive that has it with --mirror");
}

}  // namespace debroot::plan
