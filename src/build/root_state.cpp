#include "build/root_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <memory>
#include <span>

#include "base/text.hpp"
#include "build/archive_indexes.hpp"
#include "build/package_entry.hpp"
#include "plan/sources_text.hpp"

namespace debroot::build {
namespace {

constexpr std::string_view kSources = "/etc/apt/sources.list";
constexpr std::string_view kPreferences = "/etc/apt/preferences";
constexpr std::string_view kConfig = "/etc/apt/apt.conf";

/// apt passes over files with other endings, such as editors leave behind.
bool is_read_by_apt(std::string_view directory, const std::string &name) {
  std::size_t dot = name.rfind('.');
  std::string_view suffix = dot == std::string::npos ? std::string_view() : std::string_view(name).substr(dot);
  if (directory.starts_with(kSources)) return suffix == ".list" || suffix == ".sources";
  std::string_view own = directory.starts_with(kPreferences) ? ".pref" : ".conf";
  return suffix.empty() || suffix == own;
}

void add_file(const base::RootDirectory &root, const std::string &path, std::vector<SourcesText> &files) {
  auto info = root.status_followed(path);
  if (!info || !S_ISREG(info->st_mode)) return;
  files.push_back({path, root.read(path)});
}

void add_directory(const base::RootDirectory &root, std::string_view file, std::vector<SourcesText> &files) {
  std::string directory = fmt::format("{}.d", file);
  for (const std::string &name : root.list(directory)) {
    if (is_read_by_apt(directory, name)) add_file(root, fmt::format("{}/{}", directory, name), files);
  }
}

/// The files of one kind: `file` itself and those in the directory beside it.
std::vector<const SourcesText *> files_of(const RootState &state, std::string_view file) {
  std::vector<const SourcesText *> out;
  std::string directory = fmt::format("{}.d/", file);
  for (const SourcesText &one : state.files) {
    if (one.path == file || one.path.starts_with(directory)) out.push_back(&one);
  }
  return out;
}

/// Whether two files, be they SourcesText or SourcesFile, are the same.
constexpr auto kSameText = [](const auto &left, const auto &right) {
  return left.path == right.path && left.text == right.text;
};

/// Whether dpkg has it installed, be it wanted or held: half-installed ones count for nothing.
bool is_installed(std::string_view stanza) {
  constexpr std::string_view kField = "Status: ";
  std::size_t at = stanza.starts_with(kField) ? 0 : stanza.find("\nStatus: ");
  if (at == std::string_view::npos) return false;
  std::string_view line = stanza.substr(at == 0 ? 0 : at + 1);
  return line.substr(0, line.find('\n')).ends_with(" ok installed");
}

/// A field without what apt leaves out of account when it compares: white space, and the case of letters.
std::string bare(std::string_view value) {
  std::string out;
  for (char c : value) {
    auto letter = static_cast<unsigned char>(c);
    if (std::isspace(letter) == 0) out += static_cast<char>(std::tolower(letter));
  }
  return out;
}

/// Whether apt takes both for one version of a package (debListParser::VersionHash): dpkg's status has no digests.
bool is_same_version(const debian::BinaryPackage &left, const debian::BinaryPackage &right) {
  if (left.version != right.version || left.architecture != right.architecture) return false;
  constexpr std::string_view kCompared[] = {"Installed-Size", "Depends", "Pre-Depends",
                                            "Conflicts",      "Breaks",  "Replaces"};
  return std::all_of(std::begin(kCompared), std::end(kCompared), [&](std::string_view field) {
    return bare(left.stanza.get(field)) == bare(right.stanza.get(field));
  });
}

}  // namespace

RootState read_root_state(const base::RootDirectory &root) {
  RootState state;
  add_file(root, std::string(kSources), state.files);
  add_directory(root, kSources, state.files);
  add_directory(root, kPreferences, state.files);
  add_file(root, std::string(kPreferences), state.files);
  add_directory(root, kConfig, state.files);
  add_file(root, std::string(kConfig), state.files);
  state.status = root.try_read("/var/lib/dpkg/status").value_or("");
  state.lists = root.list("/var/lib/apt/lists");
  return state;
}

bool has_say(const RootState &before, const RootState &after) {
  bool is_same =
      std::equal(before.files.begin(), before.files.end(), after.files.begin(), after.files.end(), kSameText);
  return !is_same || after.status != before.status;
}

bool has_indexes(const RootState &state) {
  // as apt names them: "deb.debian.org_debian_dists_trixie_main_binary-amd64_Packages", compressed or not
  return std::any_of(state.lists.begin(), state.lists.end(),
                     [](const std::string &name) { return name.find("_Packages") != std::string::npos; });
}

std::vector<SourcesFile> updated_sources(std::vector<SourcesFile> sources, const std::vector<SourcesFile> &known,
                                         const std::vector<std::string> &lists) {
  auto is_known = [&](const SourceEntry &entry) {
    return std::any_of(known.begin(), known.end(), [&](const SourcesFile &file) {
      return std::any_of(file.entries.begin(), file.entries.end(), [&](const SourceEntry &one) {
        return one.archive_root == entry.archive_root && one.suite == entry.suite;
      });
    });
  };
  auto has_list = [&](const SourceEntry &entry, std::string_view name) {
    std::string list = apt_list_name(entry, name);
    return std::find(lists.begin(), lists.end(), list) != lists.end();
  };
  for (SourcesFile &file : sources) {
    std::erase_if(file.entries, [&](const SourceEntry &entry) {
      return !is_known(entry) && !has_list(entry, "InRelease") && !has_list(entry, "Release");
    });
  }
  return sources;
}

std::vector<SourcesFile> sources_in(const RootState &state, const std::vector<SourcesFile> &known,
                                    const std::string &architecture) {
  std::vector<SourcesFile> out;
  for (const SourcesText *file : files_of(state, kSources)) {
    auto same = std::find_if(known.begin(), known.end(), [&](const SourcesFile &one) { return kSameText(one, *file); });
    if (same != known.end()) {
      out.push_back(*same);
      continue;
    }
    bool is_deb822 = file->path.ends_with(".sources");
    auto style = is_deb822 ? plan::SourcesStyle::deb822 : plan::SourcesStyle::one_line;
    out.push_back({file->path, file->text, plan::parse_sources(style, file->text, file->path, architecture)});
  }
  return out;
}

bool are_same_sources(const std::vector<SourcesFile> &left, const std::vector<SourcesFile> &right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), kSameText);
}

debian::AptConfig apt_config_in(const RootState &state) {
  debian::AptConfig config;
  for (const SourcesText *file : files_of(state, kConfig)) {
    try {
      config.parse(file->text);
    } catch (Error &error) {
      throw std::move(error.frame(fmt::format("reading '{}' of the root", file->path)));
    }
  }
  return config;
}

std::vector<resolve::Pin> preferences_in(const RootState &state) {
  std::vector<resolve::Pin> out;
  for (const SourcesText *file : files_of(state, kPreferences)) {
    for (resolve::Pin &pin : resolve::parse_preferences(file->text, file->path)) out.push_back(std::move(pin));
  }
  return out;
}

std::vector<debian::PackageRef> add_installed_packages(debian::PackageIndex &index, const std::string &status) {
  auto text = std::make_shared<const std::string>(status);
  std::vector<debian::PackageRef> out;
  if (base::trim(status).empty()) return out;
  debian::PackageSource source;
  source.suite = "now";
  source.requested = "now";
  std::uint32_t number = index.add_source(std::move(source));
  index.keep(text);
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find("\n\n"), rest.size());
    std::string_view stanza = rest.substr(0, std::min(end + 1, rest.size()));
    rest.remove_prefix(std::min(end + 2, rest.size()));
    if (!is_installed(stanza)) continue;
    debian::BinaryPackage package = package_entry(stanza, number, "/var/lib/dpkg/status");
    std::span<const debian::PackageRef> known = index.named(package.name);
    auto same = std::find_if(known.begin(), known.end(),
                             [&](debian::PackageRef ref) { return is_same_version(index.at(ref), package); });
    if (same != known.end()) index.add_source_of(*same, number);
    out.push_back(same != known.end() ? *same : index.add(std::move(package)));
  }
  return out;
}

}  // namespace debroot::build
