/// The builder process: everything that happens to the tree, from the first directory to the tar.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/channel.hpp"
#include "debroot/plan.hpp"
#include "pack/image_sink.hpp"
#include "sandbox/confinement.hpp"
#include "sandbox/emulation.hpp"

namespace debroot::build {

/// What the builder inherits by fork.
struct BuilderSetup {
  const BuildPlan &plan;
  std::string staging_path = {};      ///< directory of the sandbox's Staging
  std::string hook_root = {};         ///< empty directory to show the tree in to hooks; empty: they see it where it is
  std::string directory_output = {};  ///< the tree is built in this directory, empty: below the staging directory
  bool is_directory_filled = false;   ///< something is in it already, which a failed build must not remove
  std::vector<pack::ImageSink> sinks = {};  ///< open descriptors of the outputs that are packed
  sandbox::Emulation emulation = {};
  sandbox::Confinement confinement = sandbox::Confinement::namespaces;
  bool is_in_user_namespace = false;  ///< of its own: root there has no power over the host
  uid_t caller_uid_inside = 0;        ///< owner of stale staging directories that may be removed
  std::string_view mode = {};         ///< as hooks are told it: "root" or "unshare"
  int shown_steps = -1;               ///< to read a byte from for each step that was shown
  int hook_socket = -1;               ///< to the process that copies for hooks; -1: there are no hooks

  /// The tree is the image.
  [[nodiscard]] bool is_in_place() const noexcept { return !directory_output.empty(); }
  /// Scripts run on this machine itself.
  [[nodiscard]] bool is_chrootless() const noexcept { return confinement == sandbox::Confinement::host; }
  /// The builder has a mount namespace of its own.
  [[nodiscard]] bool may_mount() const noexcept { return confinement == sandbox::Confinement::namespaces; }
};

/// Body of the process: takes the InstallPlan and the packages from `channel`, sends events, ends with done or failed.
/// @return 0 when the image is complete
int run_builder(const BuilderSetup &setup, base::Channel channel);

}  // namespace debroot::build
