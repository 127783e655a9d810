/// Runs the user's own programs on the tree (mmdebstrap(1), HOOKS).
///
/// A hook is not a maintainer script: it sees the host's files and network and gets the root's path as its first
/// argument. What it mounts stays for later hooks and maintainer scripts, and processes that it leaves behind live on
/// until the last hook has ended. While it runs, names resolve in the root; /proc and devices are HookMounts's.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "base/line_listener.hpp"
#include "debroot/plan.hpp"

namespace debroot::customize {

struct HookSettings {
  std::vector<std::string> environment;  ///< all that a hook sees
  std::function<void(std::string_view line)> on_output;
  bool writes_to_stderr = false;   ///< this process's standard error takes the output as it is, on_output nothing
  int socket = -1;                 ///< to serve_hook_requests, for the special verbs and for hooks; -1: there is none
  std::vector<std::string> skips;  ///< values of --skip
  bool brings_resolver = true;     ///< the host's resolv.conf is there meanwhile; else the root's own is as it is
};

/// How a hook's command is run; not for special verbs.
std::vector<std::string> hook_arguments(const Hook &hook, const std::string &root_path);

/// How the log of mmdebstrap names what is about to run: "running --setup-hook directly: true /root".
std::string hook_announcement(const Hook &hook, const std::string &root_path);

/// "customize hook 'COMMAND'", as messages name it: of a long command or one of several lines, its beginning.
std::string hook_title(const Hook &hook);

/// The hooks of one build. Makes the process the one that orphans go to.
class HookRunner {
 public:
  /// @param root_path path of `root` as this process sees it: the hooks' $1
  HookRunner(const base::RootDirectory &root, std::string root_path);

  /// Runs one hook to its end. @throws Error of kind script when it fails, with its output
  void run(const Hook &hook, const HookSettings &settings);

  /// Path of the root now: "/" once a hook has made it the root directory of these processes by pivot_root(8).
  [[nodiscard]] const std::string &root_path() const noexcept { return root_path_; }

  /// Behind the last hook: waits for what hooks have left running, or ends it.
  void finish(bool waits);

 private:
  /// A process that a hook left behind still holds its output.
  struct Output {
    base::Fd fd;
    base::LineListener listener;
  };

  void run_verb(const Hook &hook, const HookSettings &settings);
  void run_program(const Hook &hook, const HookSettings &settings);
  void check_root(const Hook &hook);
  void take_lingering_output();

  const base::RootDirectory &root_;
  std::string root_path_;
  std::vector<pid_t> children_before_;
  std::vector<Output> lingering_;
};

}  // namespace debroot::customize
