/// What `debroot doctor` tells of this host: one finding a subject, each with its remedy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace debroot::sandbox {

enum class FindingState { ok, warn, fail };

/// One line of the report.
struct Finding {
  std::string subject;  ///< "user namespaces", "emulator for arm64"
  FindingState state = FindingState::ok;
  std::string text;    ///< what was found
  std::string remedy;  ///< what to do about it; empty when there is nothing to do or nothing is known
};

/// What the host can do for builds by this caller, in a fixed order: kernel, subordinate ids, newuidmap and newgidmap
/// (these three only for an ordinary user), namespaces, isolation of scripts, memory for the tree, temporary directory,
/// gpg, and how programs of each of `architectures` run. Forks, so it needs a process of one thread; changes nothing.
/// Never throws for what the host lacks.
[[nodiscard]] std::vector<Finding> probe_host(const std::string &temporary_directory,
                                              const std::vector<std::string> &architectures);

}  // namespace debroot::sandbox
