/// Runs a scenario as root or as an ordinary user in a process of its own, and makes trees of one busybox.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/beneath.hpp"
#include "base/channel.hpp"
#include "sandbox/runner.hpp"

namespace debroot::sandbox::test {

/// Who runs the scenario.
enum class As { root, user };

/// Name of an ordinary user with subordinate ids whom this process can be; nothing when there is none.
std::optional<std::string> ordinary_user();

/// Why the scenario cannot run here, as a sentence for GTEST_SKIP; empty when it can.
std::string reason_to_skip(As who);

/// Whether an emulator of user programs runs this one, with threads of its own: a process of several threads can
/// neither make a user namespace nor change into another mount namespace, and qemu has no seccomp filters.
bool is_emulated();

/// Runs `scenario` in a forked child with the identity of `who` and returns what it returned; an Error comes back as
/// "error: " and its message, a crash as "died".
std::string run_as(As who, const std::function<std::string()> &scenario);

/// Runs `inside` in a builder in namespaces of its own and returns its text; for the child of `run_as`.
std::string in_builder(bool needs_own_binfmt, const std::function<std::string()> &inside,
                       const std::string &staging_directory = {});

/// Puts the host's static busybox into `root` with the usual directories and a link for each name used by the tests.
void make_busybox_tree(const base::RootDirectory &root);

/// Whole output of `sh -c SCRIPT` in the runner's tree, and how it ended when that was not status 0.
std::string shell(Runner &runner, const std::string &script, RunRequest request = {});

/// A new empty directory below the system's temporary one that anybody may write to; the caller removes it.
std::string make_scratch();

}  // namespace debroot::sandbox::test
