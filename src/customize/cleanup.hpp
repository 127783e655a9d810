/// Takes away what only the build needed, as mmdebstrap's cleanup step does (mmdebstrap(1), "cleanup").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"

namespace debroot::customize {

/// What stays nevertheless: values of --skip that concern the clean-up.
struct CleanupOptions {
  bool keeps_apt_lists = false;
  bool keeps_auxiliary_files = false;  ///< lists/auxfiles, which old versions of apt do not know: all of cleanup/apt
  bool keeps_apt_cache = false;
  bool keeps_logs = false;        ///< cleanup/reproducible
  bool keeps_machine_id = false;  ///< cleanup/reproducible/machine-id
  bool keeps_run = false;
  bool keeps_tmp = false;
};

/// The options that a list of --skip values means.
[[nodiscard]] CleanupOptions cleanup_options(const std::vector<std::string> &skips);

/// Package lists and the package cache emptied, logs that carry times removed, /etc/machine-id emptied where it exists,
/// /run (but for /run/lock) and /tmp emptied.
void clean_up(const base::RootDirectory &root, const CleanupOptions &options);

/// Files that clean_up removes or empties wherever they are, since two builds would differ in them.
[[nodiscard]] std::span<const std::string_view> volatile_files() noexcept;

/// Files of the finished image that packages fill with random data: ssh host keys, the snakeoil certificate and the
/// like. They differ between two builds, and the summary names them.
[[nodiscard]] std::vector<std::string> random_files(const base::RootDirectory &root);

}  // namespace debroot::customize
