/// What planning needs to know of the host, gathered once so that every decision can be tested with made-up facts.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::plan {

/// A snapshot of the process and its surroundings.
struct HostFacts {
  std::string architecture;             ///< Debian name of the host's userland
  uid_t user_id = 0;                    ///< effective
  unsigned cpus = 1;                    ///< CPUs that this process may run on
  bool is_stdout_terminal = false;      ///< an image is never written to a terminal
  bool is_in_chroot = false;            ///< the root directory is not that of process 1, as far as can be seen
  bool is_stdout_null = false;          ///< standard output is /dev/null (device 1:3)
  std::string working_directory = "/";  ///< what relative paths start from
  std::map<std::string, std::string, std::less<>> environment;
  std::string hostname;                      ///< uname(2)'s nodename
  std::optional<std::uint32_t> apt_user_id;  ///< of the account _apt
  std::int64_t start_time = 0;               ///< Unix seconds
  std::string system_directory;              ///< goes before paths such as /etc/hostname; empty but in tests
  /// Whether the public keys of the file `keyring` are all in `trusted`, files or directories of keys. Left empty: they
  /// are taken to be.
  std::function<bool(const std::string &keyring, const std::vector<std::string> &trusted)> holds_only_trusted_keys;
  /// Whether there is such a program. Left empty: there is none.
  std::function<bool(const std::string &name)> has_program;
  /// Reads standard input to its end; called at most once, and only for `--mirror -`.
  std::function<std::string()> read_standard_input;

  /// Value of a variable, empty when it is unset.
  [[nodiscard]] std::string variable(std::string_view name) const;
};

/// The facts of this process; `environment` is a vector of "NAME=value" as main() has it. @throws Error
[[nodiscard]] HostFacts gather_host_facts(const char *const *environment);

}  // namespace debroot::plan
