/// The runner: a small process that lives inside the tree, in a pid namespace of its own, and starts programs there.
///
/// It is forked from the builder while that has one thread, and builds its view of the world at once: an own mount
/// namespace that holds only a new /proc, a minimal /dev and /sys, an own network namespace with nothing but loopback,
/// no descriptor but its channel, no environment and no way to look into its memory. When the first files are unpacked
/// it `enter`s the tree; then it serves requests. When the builder dies, so does the runner, and with it every process
/// of its pid namespace.
///
/// Its mount namespace holds the tree and an empty tmpfs around it, so a program running as (mapped) root finds neither
/// the host's files nor the builder's descriptors, even if it breaks out of the tree. Pid 1, which only reaps, stays in
/// that tmpfs: so programs see that they run in a chroot. fsync and its kin succeed without doing anything: the tree is
/// thrown away when the machine loses power anyhow.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "base/channel.hpp"
#include "base/fd.hpp"
#include "sandbox/confinement.hpp"

namespace debroot::sandbox {

/// What is decided before the runner starts.
struct RunnerOptions {
  bool shares_network = false;    ///< programs use the host's network, otherwise they see only loopback
  std::string private_name = {};  ///< an empty directory of this name is made in /dev, to lay something over it
  /// Anything but namespaces: programs share those of the builder, and nothing is mounted.
  Confinement confinement = Confinement::namespaces;
  bool mounts_proc = true;  ///< over the tree's directory of that name; false: it stays as it is
  bool mounts_dev = true;
  bool mounts_sys = true;
};

/// A file or directory that is laid over one of the tree, in the runner's mount namespace only.
struct ReadOnlyBind {
  std::string source;  ///< path as the builder sees it, links followed
  std::string target;  ///< path inside the tree, links followed; must exist and be of the same kind
};

/// One program to run in the tree.
struct RunRequest {
  std::vector<std::string> argv;         ///< argv[0] without a slash is looked up in the PATH of `environment`
  std::vector<std::string> environment;  ///< "NAME=value", all of it: nothing is inherited
  std::string directory = "/";           ///< where it starts, inside the tree
  int stdin_fd = -1;                     ///< -1: /dev/null of the tree's view
  bool skips_sleep = false;              ///< sleep(3) and its like return at once, there and in what it starts
  bool sees_binds = true;                ///< false: in the mount namespace without what `bind` laid over the tree
};

/// Where starting a program failed.
enum class LaunchStep { none, mount_namespace, directory, standard_streams, execute };

/// How a program ended.
struct RunResult {
  int exit_status = 0;  ///< of a program that exited; meaningless if signal or failed_step is set
  int signal = 0;       ///< number of the signal that killed it, or 0
  LaunchStep failed_step = LaunchStep::none;
  int errno_value = 0;                  ///< why the step failed
  bool is_interpreter_missing = false;  ///< ENOENT although the program is there: its interpreter or loader is not

  [[nodiscard]] bool is_success() const noexcept {
    return exit_status == 0 && signal == 0 && failed_step == LaunchStep::none;
  }
  friend bool operator==(const RunResult &, const RunResult &) = default;
};

/// The end of a sentence whose subject is the program: "exited with status 2", "was killed by signal 11
/// (segmentation fault)", "could not be started: exec format error".
[[nodiscard]] std::string describe(const RunResult &result);

/// The builder's handle. Not thread-safe, except `kill_current`.
class Runner {
 public:
  /// Forks the runner. The calling process must have one thread and be (mapped) root in a mount namespace of its own.
  /// @throws Error of kind sandbox that names the step that failed
  [[nodiscard]] static Runner start(const RunnerOptions &options);
  Runner(Runner &&other) noexcept;
  Runner &operator=(Runner &&other) noexcept;
  Runner(const Runner &) = delete;
  Runner &operator=(const Runner &) = delete;
  /// As `stop`.
  ~Runner();

  /// Makes the tree at `root` the runner's root, with everything that is mounted below it now, and lays /proc, /dev and
  /// /sys over it. To be called once, when the tree has these directories: one that is missing stays without its mount,
  /// which `notes` says. What the builder mounts later is not seen inside. Without namespaces of its own the runner is
  /// only changed into the tree (chroot), or stays on the host. @throws Error
  void enter(const base::RootDirectory &root);

  /// Lays `binds` over the tree from now on. @throws Error that names the first that failed; earlier ones stay
  void bind(const std::vector<ReadOnlyBind> &binds);

  /// Takes away what `bind` laid over these paths. Paths that have nothing over them, or are gone, are
  /// fine. @throws Error
  void unbind(const std::vector<std::string> &targets);

  /// Runs a program to its end. What it writes to stdout and stderr goes to `on_output` as it comes, in one stream.
  /// Processes that it leaves behind live on until `stop`. Blocks; an exception of `on_output` kills the program and is
  /// passed on. @throws Error of kind internal when the runner is gone
  [[nodiscard]] RunResult run(const RunRequest &request, const std::function<void(std::string_view)> &on_output);

  /// Kills the program that `run` waits for, with its process group; nothing happens when there is none. May be called
  /// from `on_output` and from another thread.
  void kill_current() noexcept;

  /// Ends the runner and every process in its pid namespace, and waits until they are gone with their mounts.
  void stop() noexcept;

  /// What this host made different from the normal view, a sentence each: "…".
  [[nodiscard]] const std::vector<std::string> &notes() const noexcept { return notes_; }

 private:
  Runner(pid_t pid, base::Channel channel) : pid_(pid), channel_(std::move(channel)) {}
  void drain_lingering();

  pid_t pid_ = -1;
  base::Channel channel_;
  Confinement confinement_ = Confinement::namespaces;
  std::vector<std::string> notes_;
  std::vector<base::Fd> lingering_;  ///< output pipes that a background process still holds
};

}  // namespace debroot::sandbox
