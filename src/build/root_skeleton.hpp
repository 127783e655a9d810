/// What stands in the root before the first package: directories and files that apt and dpkg expect, and what the plan
/// configures (mmdebstrap's setup step).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "build/install_plan.hpp"
#include "debroot/plan.hpp"

namespace debroot::build {

/// Makes the skeleton; files that are there already stay as they are. Settings for apt that hold only while the image
/// is made (no Recommends, no translations) are part of it, for hooks that call apt. Without a chroot it lacks what
/// only a dpkg of the root would need.
void make_skeleton(const base::RootDirectory &root, const BuildPlan &plan, const std::vector<SourcesText> &sources,
                   bool is_chrootless);

/// Takes the settings that hold only while the image is made away again, unless a value of --skip keeps them.
void remove_build_settings(const base::RootDirectory &root, const std::vector<std::string> &skips);

/// What the root's dpkg needs, which is part of the skeleton.
void make_dpkg_directories(const base::RootDirectory &root);

/// What apt would have worked with.
struct AptState {
  std::optional<std::uint32_t> user_id;  ///< owner of the `partial` directories; nothing: the image's own _apt
  bool has_lists = true;                 ///< indexes were fetched or are cleaned up
  bool has_archives = true;              ///< packages were fetched
  bool has_archive_lock = true;          ///< apt installed them, or cleaned its cache, and did not only fetch them
  bool has_auxiliary_files = false;      ///< the directory for them, which cleaning up removes
};

/// The state that apt leaves behind: lock files, and `partial` directories.
void settle_apt_state(const base::RootDirectory &root, const AptState &state);

}  // namespace debroot::build
