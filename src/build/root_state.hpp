/// What hooks have made of the root, as far as it has a say in which packages are chosen and where they come from:
/// mmdebstrap's users add sources, pins and options there, and packages that count as installed.
#pragma once

#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "build/install_plan.hpp"
#include "debian/apt_config.hpp"
#include "debian/package_index.hpp"
#include "debroot/plan.hpp"
#include "resolve/policy.hpp"

namespace debroot::build {

/// In the builder: the files of apt's configuration, in the order in which apt reads each kind, and dpkg's status.
[[nodiscard]] RootState read_root_state(const base::RootDirectory &root);

/// Whether what apt would choose after hooks may be another than before them, leaving out what they have fetched.
[[nodiscard]] bool has_say(const RootState &before, const RootState &after);

/// Whether a hook's apt has fetched indexes of packages.
[[nodiscard]] bool has_indexes(const RootState &state);

/// The sources in `state`; a file that is among `known` with the same text is taken from there, since what was written
/// to the root lacks passwords. @throws Error of kind usage for one that cannot be read
[[nodiscard]] std::vector<SourcesFile> sources_in(const RootState &state, const std::vector<SourcesFile> &known,
                                                  const std::string &architecture);

/// `sources` without the entries that apt knows nothing of: those that are neither among `known` nor have a Release
/// file among `lists`, the names below /var/lib/apt/lists.
[[nodiscard]] std::vector<SourcesFile> updated_sources(std::vector<SourcesFile> sources,
                                                       const std::vector<SourcesFile> &known,
                                                       const std::vector<std::string> &lists);

/// Whether both name the same files with the same texts.
[[nodiscard]] bool are_same_sources(const std::vector<SourcesFile> &left, const std::vector<SourcesFile> &right);

/// apt.conf(5) of the root. @throws Error of kind usage
[[nodiscard]] debian::AptConfig apt_config_in(const RootState &state);

/// apt_preferences(5) of the root. @throws Error of kind usage
[[nodiscard]] std::vector<resolve::Pin> preferences_in(const RootState &state);

/// Puts the packages that dpkg's status says are installed into the index, as a source of their own, and gives them.
[[nodiscard]] std::vector<debian::PackageRef> add_installed_packages(debian::PackageIndex &index,
                                                                     const std::string &status);

}  // namespace debroot::build
