/// Why this host refuses namespaces, as a pure function from what was seen to the Error that says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "debroot/error.hpp"

namespace debroot::sandbox {

/// The steps between fork and the builder's body; the number is what a child reports.
enum class NamespaceStep : std::int32_t {
  ready,             ///< not a failure: everything is set up
  user_namespace,    ///< unshare(CLONE_NEWUSER)
  id_map,            ///< writing uid_map and gid_map
  identity,          ///< setgroups, setresgid, setresuid
  other_namespaces,  ///< unshare of mount, ipc and uts
  propagation,       ///< making all mounts private
  hostname,          ///< the fixed UTS name
  body,              ///< the fork of the body
};

/// What the host's switches say; an absent one does not exist on this kernel.
struct NamespaceFacts {
  bool is_root = false;                                   ///< effective uid 0
  bool is_in_chroot = false;                              ///< the kernel refuses user namespaces to a chrooted process
  std::optional<std::int64_t> unprivileged_userns_clone;  ///< kernel.unprivileged_userns_clone (Debian's own)
  std::optional<std::int64_t> max_user_namespaces;        ///< user.max_user_namespaces
  std::optional<std::int64_t> apparmor_restriction;       ///< kernel.apparmor_restrict_unprivileged_userns (Ubuntu)
  std::string program;                                    ///< path of this program, for an AppArmor profile
};

/// Reads the facts of this process. Never throws: what cannot be read is absent.
[[nodiscard]] NamespaceFacts read_namespace_facts();

/// The Error for `step` having failed with `errno_value`. Its message is one of a fixed set, each with a remedy where
/// one is known.
[[nodiscard]] Error explain_namespace_failure(const NamespaceFacts &facts, NamespaceStep step, int errno_value);

/// The Error for newuidmap or newgidmap (`name`) not being installed.
[[nodiscard]] Error missing_map_helper(std::string_view name);

/// The Error for newuidmap or newgidmap (`program`) having exited with `exit_status` and said `output`.
[[nodiscard]] Error refused_map(std::string_view program, int exit_status, std::string_view output);

}  // namespace debroot::sandbox
