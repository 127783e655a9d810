/// Running one short program of the host and reading what it printed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::base {

/// How a program ended.
struct SubprocessResult {
  int exit_status = 0;  ///< as a shell counts: 128 + number for a program that a signal ended
  std::string output;   ///< stdout and stderr, in the order written
  [[nodiscard]] bool is_success() const noexcept { return exit_status == 0; }
};

/// Starts `argv` (argv[0] is a path) with stdin from /dev/null and the caller's environment, and waits.
/// @throws Error of kind sandbox when it cannot be started: "cannot run 'PROGRAM': <cause>"
[[nodiscard]] SubprocessResult run_subprocess(const std::vector<std::string> &argv);

/// The exit status as a shell counts, of what waitpid(2) tells: 128 + number for a program that a signal ended.
[[nodiscard]] int exit_status_of(int wait_status) noexcept;

/// Absolute path of the executable file `name` in the directories of `search_path` (as $PATH is written) and then in
/// /usr/local/sbin, /usr/sbin, /sbin, /usr/bin and /bin; nothing when there is none.
[[nodiscard]] std::optional<std::string> find_program(std::string_view name, std::string_view search_path);

/// The same with the caller's $PATH.
[[nodiscard]] std::optional<std::string> find_program(std::string_view name);

}  // namespace debroot::base
