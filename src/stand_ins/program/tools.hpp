/// The tools that this program can stand for. Each function does what its tool does on a first installation and returns
/// the exit status, or nothing when the call is one for the tool itself; then nothing was done that the tool would not
/// do first, and nothing was said.
#pragma once

#include <optional>

#include "stand_ins/program/call.hpp"

namespace debroot::stand_ins {

/// dpkg-maintscript-helper: its four commands where there was no former version, and `supports`.
[[nodiscard]] std::optional<int> run_maintscript_helper(const Call &call);

/// deb-systemd-helper: enable, update-state, unmask, was-enabled, is-enabled, debian-installed, for one unit.
[[nodiscard]] std::optional<int> run_systemd_helper(const Call &call);

/// update-rc.d: defaults and defaults-disabled where neither insserv nor openrc is.
[[nodiscard]] std::optional<int> run_update_rc_d(const Call &call);

/// adduser and addgroup of bullseye: --system, for a name that is not taken and a user without a home of its own.
[[nodiscard]] std::optional<int> run_adduser(const Call &call);

/// update-ca-certificates: without options, or without hooks, for a configuration that only lists what to trust.
[[nodiscard]] std::optional<int> run_update_ca_certificates(const Call &call);

}  // namespace debroot::stand_ins
