/// debroot as a function of its command line: parse, plan, call the work, show how it ended, give the exit status.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/doctor.hpp"
#include "debroot/error.hpp"
#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"
#include "plan/host_facts.hpp"

namespace debroot::cli {

/// The work behind the commands. main() gives the real one, tests a made-up one; a function left empty makes its
/// command say that this program was built without it.
struct Backend {
  std::function<BuildReport(const BuildPlan &, Progress &, std::stop_token)> build;
  std::function<BuildReport(const BuildPlan &, Progress &, std::stop_token)> plan_packages;
  std::function<std::vector<DoctorCheck>(const plan::HostFacts &)> doctor;
  /// Both halves of mmdebstrap's protocol for hooks, over standard input and output; the first gets the words behind
  /// --hook-helper: ROOT MODE HOOK SKIP VERBOSITY VERB PATH….
  std::function<void(const std::vector<std::string> &)> hook_helper = {};
  std::function<void(const std::function<void(const Error &)> &on_failure)> hook_listener = {};
  /// Runs a command in the namespaces of a build. @return its exit status
  std::function<int(const std::vector<std::string> &)> unshare_helper = {};
  std::vector<std::string> libraries = {};  ///< for --version: "libarchive 3.6.2", …
  /// See plan::HostFacts; run_process puts it there.
  std::function<bool(const std::string &, const std::vector<std::string> &)> holds_only_trusted_keys;
};

/// Runs one command. @return the exit status; never throws
[[nodiscard]] int run(const std::vector<std::string> &arguments, const plan::HostFacts &host, Console &console,
                      const Backend &backend, std::stop_token stop) noexcept;

/// All of main(): this process's facts, console and signals around run(). Leaves the process single-threaded until the
/// backend is called.
[[nodiscard]] int run_process(int argument_count, const char *const *arguments, const char *const *environment,
                              const Backend &backend) noexcept;

}  // namespace debroot::cli
