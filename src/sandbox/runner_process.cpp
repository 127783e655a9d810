#include "sandbox/runner_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/beneath.hpp"
#include "sandbox/keeper.hpp"
#include "sandbox/launch.hpp"
#include "sandbox/quiet_sync.hpp"
#include "sandbox/runner_messages.hpp"
#include "sandbox/runner_view.hpp"

namespace debroot::sandbox {
namespace {

base::Fd open_null() {
  base::Fd fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!fd) fail_step("open /dev/null");
  return fd;
}

/// Leaves the channel as number 3 and `mounts` as number 4 for the only descriptors, and /dev/null as the standard
/// streams.
base::Channel close_inherited(base::Channel channel, base::Fd null, base::Fd &mounts) {
  constexpr int kChannelFd = 3;
  constexpr int kMountsFd = 4;
  for (int number : {0, 1, 2}) {
    if (::dup2(null.get(), number) < 0) fail_step("set the standard streams");
  }
  // through a second number, since /dev/null or the channel itself may be where the channel is to be
  base::Fd moved(::fcntl(channel.fd(), F_DUPFD_CLOEXEC, kMountsFd + 1));
  base::Fd moved_mounts(mounts ? ::fcntl(mounts.get(), F_DUPFD_CLOEXEC, kMountsFd + 1) : -1);
  channel.close();
  null.reset();
  mounts.reset();
  if (!moved || ::dup3(moved.get(), kChannelFd, O_CLOEXEC) < 0) fail_step("keep the channel");
  if (moved_mounts && ::dup3(moved_mounts.get(), kMountsFd, O_CLOEXEC) == kMountsFd) mounts = base::Fd(kMountsFd);
  moved.reset();
  moved_mounts.reset();
  if (::close_range(mounts ? kMountsFd + 1 : kMountsFd, ~0U, 0) != 0) fail_step("close inherited descriptors");
  return base::Channel(base::Fd(kChannelFd));
}

/// Goes on in a child, for which this process is the first one of the pid namespace: its root directory stays outside
/// the tree, by which programs know that they run in a chroot (ischroot(1), systemctl) as in any builder's, and do not
/// wait for a running system. It reaps what nobody waits for, and ends with the child, whose end is everyone's.
void stay_outside() {
  pid_t server = ::fork();
  if (server < 0) fail_step("start another process");
  if (server == 0) return;
  ::close_range(0, ~0U, 0);
  while (true) {
    pid_t ended = ::waitpid(-1, nullptr, 0);
    if (ended == server || (ended < 0 && errno != EINTR)) ::_exit(0);
  }
}

/// Serves requests until the builder is gone.
class Server {
 public:
  Server(base::Channel channel, base::Fd signals, base::Fd mounts, const RunnerOptions &options)
      : channel_(std::move(channel)), signals_(std::move(signals)), mounts_(std::move(mounts)), options_(options) {}

  [[noreturn]] void serve() {
    std::array<pollfd, 2> watched{pollfd{channel_.fd(), POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
    while (true) {
      ::poll(watched.data(), watched.size(), -1);
      if (watched[1].revents != 0) reap();
      if (watched[0].revents != 0) {
        auto message = channel_.receive();
        // pid 1 ends with this process, and every process of the namespace with it
        if (!message) ::_exit(0);
        handle(*message);
      }
    }
  }

  void send(RunnerReply reply) { channel_.send(base::to_wire(std::move(reply))); }

 private:
  void handle(base::ChannelMessage &raw) {
    auto message = base::from_wire<RunnerMessage>(raw.bytes);
    RunnerReply reply;
    try {
      switch (message.action) {
        case RunnerAction::enter:
          reply.notes = enter(std::move(raw.fds.at(0)));
          break;
        case RunnerAction::bind:
          bind(message.targets, raw.fds);
          break;
        case RunnerAction::unbind:
          unbind(message.targets);
          break;
        case RunnerAction::run:
          if (run(message, raw.fds, reply.result)) return;  // answered when it ends
          break;
        case RunnerAction::kill:
          if (current_ > 0) ::kill(-current_, SIGKILL);
          return;
      }
    } catch (RunnerFailure &failure) {
      reply.failed = std::move(failure.step);
      reply.errno_value = failure.errno_value;
    }
    send(std::move(reply));
  }

  [[nodiscard]] std::vector<std::string> enter(base::Fd tree) const {
    if (options_.confinement == Confinement::namespaces) return enter_tree(std::move(tree), options_);
    if (::fchdir(tree.get()) != 0 || ::chroot(".") != 0 || ::chdir("/") != 0) fail_step("change the root directory");
    return {};
  }

  /// True when a program runs now; else `result` says why not.
  bool run(const RunnerMessage &message, const std::vector<base::Fd> &fds, RunResult &result) {
    // this process's own is /dev/null, which the tree need not have
    int stdin_fd = fds.size() > 1 ? fds[1].get() : STDIN_FILENO;
    int mounts = message.sees_binds || !has_binds_ ? -1 : mounts_.get();
    Launched launched = launcher_.launch(
        {message.argv, message.environment, message.directory, stdin_fd, fds.at(0).get(), mounts, message.skips_sleep});
    result = launched.failure;
    current_ = launched.pid;
    return launched.pid > 0;
  }

  /// The first bind moves this process into a copy of its mount namespace; the one without binds is open already.
  void bind(const std::vector<std::string> &targets, const std::vector<base::Fd> &mounts) {
    errno = ENOENT;
    if (!mounts_) fail_step("keep the mount namespace");
    if (!has_binds_ && ::unshare(CLONE_NEWNS) != 0) fail_step("make a second mount namespace");
    has_binds_ = true;
    auto root = base::RootDirectory::open("/");
    for (std::size_t i = 0; i < targets.size(); ++i) {
      auto target = root.try_open_file(targets[i], O_PATH);
      errno = ENOENT;
      if (!target || ::move_mount(mounts.at(i).get(), "", target->get(), "",
                                  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
        fail_step("mount over '" + targets[i] + "'");
      }
    }
  }

  static void unbind(const std::vector<std::string> &targets) {
    for (const std::string &target : targets) {
      // EINVAL: nothing is over it, as when the file was replaced meanwhile, which lets go of what lay there
      bool is_off = ::umount2(target.c_str(), MNT_DETACH) == 0 || errno == EINVAL || errno == ENOENT;
      if (!is_off) fail_step("unmount '" + target + "'");
    }
  }

  void reap() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof(info)) > 0) {
    }
    int status = 0;
    while (true) {
      pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) return;
      if (pid != current_) continue;
      current_ = -1;
      RunnerReply reply;
      if (WIFEXITED(status)) reply.result.exit_status = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) reply.result.signal = WTERMSIG(status);
      send(std::move(reply));
    }
  }

  base::Channel channel_;
  base::Fd signals_;
  base::Fd mounts_;  ///< the mount namespace without binds; nothing where this system shows none
  const RunnerOptions &options_;
  bool has_binds_ = false;
  Launcher launcher_;
  pid_t current_ = -1;
};

base::Fd watch_children() {
  sigset_t child_ended;
  ::sigemptyset(&child_ended);
  ::sigaddset(&child_ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
  base::Fd fd(::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) fail_step("watch for ended programs");
  return fd;
}

}  // namespace

void run_runner(base::Channel channel, const RunnerOptions &options) {
  RunnerReply reply;
  try {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    reset_signals();
    hide_process();
    bool has_own = options.confinement == Confinement::namespaces;
    // the new /dev has one of its own, so that nothing of the host's stays open
    base::Fd null = has_own && options.mounts_dev ? base::Fd() : open_null();
    // the tree need not have a /proc
    base::Fd mounts(has_own ? ::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC) : -1);
    if (has_own) reply.notes = prepare_view(options);
    channel = close_inherited(std::move(channel), null ? std::move(null) : open_null(), mounts);
    // without privileges it is not allowed, which nobody can change
    if (!install_quiet_sync() && has_own) {
      reply.notes.emplace_back("this host has no seccomp, so scripts wait for the disk");
    }
    if (has_own) stay_outside();
    Server server(std::move(channel), watch_children(), std::move(mounts), options);
    server.send(std::move(reply));
    server.serve();
  } catch (RunnerFailure &failure) {
    reply.failed = std::move(failure.step);
    reply.errno_value = failure.errno_value;
    try {
      channel.send(base::to_wire(std::move(reply)));
    } catch (const Error &) {
    }
  } catch (const std::exception &) {
    // the channel broke: the builder is gone
  }
  ::_exit(1);
}

}  // namespace debroot::sandbox
