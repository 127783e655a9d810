#include "index/packages_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::index {
namespace {

/// Best first. A main index is 3 MB larger as gzip than as xz, and is decompressed in a quarter of the time: below some
/// 60 Mbit/s xz would be there sooner, above it gzip.
constexpr std::array<std::string_view, 4> kSuffixes = {".gz", ".xz", ".zst", ""};

PackagesFile make_file(const ReleaseFile &release, const std::string &path, const ListedFile &listed) {
  PackagesFile file{path, {}, listed.sha256, listed.size_bytes};
  if (release.has_by_hash) {
    file.by_hash_path = fmt::format("{}by-hash/SHA256/{}", path.substr(0, path.rfind('/') + 1), listed.sha256);
  }
  return file;
}

PackagesIndex find_index(const ReleaseFile &release, std::string_view component, std::string_view architecture) {
  PackagesIndex out{std::string(component), std::string(architecture), {}};
  std::string stem =
      component.empty() ? std::string("Packages") : fmt::format("{}/binary-{}/Packages", component, architecture);
  for (std::string_view suffix : kSuffixes) {
    std::string path = fmt::format("{}{}", stem, suffix);
    if (auto found = release.files.find(path); found != release.files.end()) {
      out.forms.push_back(make_file(release, path, found->second));
    }
  }
  return out;
}

}  // namespace

std::vector<PackagesIndex> choose_packages_files(const ReleaseFile &release, std::string_view component,
                                                 const std::vector<std::string> &architectures,
                                                 std::string_view subject) {
  std::vector<PackagesIndex> out;
  if (component.empty()) {
    out.push_back(find_index(release, {}, {}));
  } else {
    for (const std::string &architecture : architectures) {
      if (architecture != "all") out.push_back(find_index(release, component, architecture));
    }
  }
  for (const PackagesIndex &index : out) {
    if (!index.forms.empty()) continue;
    std::string of =
        component.empty() ? std::string() : fmt::format(" of component '{}' for '{}'", component, index.architecture);
    throw Error(ErrorKind::index,
                fmt::format("Release of '{}' lists no Packages file{}", base::without_credentials(subject), of));
  }
  bool has_all_index = !component.empty() && !release.has_all_in_every_index && !release.architectures.empty() &&
                       supports_architecture(release, "all");
  if (has_all_index) {
    PackagesIndex all = find_index(release, component, "all");
    if (!all.forms.empty()) out.push_back(std::move(all));
  }
  return out;
}

std::string suite_directory(std::string_view suite) {
  if (!suite.ends_with('/')) return fmt::format("dists/{}/", suite);
  while (suite.starts_with("./")) suite.remove_prefix(2);
  while (suite.starts_with('/')) suite.remove_prefix(1);
  return std::string(suite);
}

}  // namespace debroot::index
