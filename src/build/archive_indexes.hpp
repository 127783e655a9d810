/// Fetches, verifies and reads the indexes of every source of a plan: fetch/, verify/ and index/ in their order.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/trace.hpp"
#include "debian/apt_config.hpp"
#include "debian/package_index.hpp"
#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"
#include "fetch/fetcher.hpp"

namespace debroot::build {

/// A verified index file as apt keeps it below /var/lib/apt/lists.
struct ListFile {
  std::string name;
  base::Fd file;
};

/// All that is known of the archives.
struct ArchiveIndexes {
  debian::PackageIndex packages;
  debian::PackageIndex twins;  ///< of the architecture that lends its tools, as far as the sources have it
  std::vector<debian::PackageRef> local_packages;  ///< of includes that are paths
  std::vector<debian::PackageRef> installed;       ///< in the root already, by setup hooks
  std::vector<ReportedRelease> releases;
  std::vector<ListFile> lists;
  std::int64_t newest_date = 0;      ///< Unix seconds, of the Release files used
  std::vector<SourcesFile> sources;  ///< those used: the plan's, or where an old suite is archived
  bool lacks_twins = false;          ///< an index of the twins' architecture could not be had this time
};

/// Whether more of the indexes is wanted than what is chosen from them: hooks get them, or the image keeps them.
[[nodiscard]] bool needs_lists(const BuildPlan &plan);

/// Asked once the signed indexes are read and checked: true when there is no need to read what they list. `packages`
/// and `twins` stay empty then, and `lists` has only what needs_lists asks for.
using KnowsChoice = std::function<bool(const ArchiveIndexes &opened)>;

/// `twin_architecture` may be empty; what cannot be had of it is passed over. `status` is dpkg's of the root as setup
/// hooks left it. `knows_choice` may be empty. @throws Error of kind network, trust or index
[[nodiscard]] ArchiveIndexes read_archives(const BuildPlan &plan, const debian::AptConfig &config,
                                           fetch::Fetcher &fetcher, Progress &progress, base::Trace &trace,
                                           const std::string &twin_architecture, const std::string &status,
                                           const KnowsChoice &knows_choice = {});

/// Name under /var/lib/apt/lists that apt gives to `file` of the suite of a source: "InRelease", or
/// "main/binary-amd64/Packages.xz".
[[nodiscard]] std::string apt_list_name(const SourceEntry &entry, std::string_view file);
/// The name once apt has decompressed it, as it does unless told otherwise.
[[nodiscard]] std::string plain_list_name(std::string name);

}  // namespace debroot::build
