#include "sandbox/keeper.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "sandbox/private_mounts.hpp"
#include "sandbox/staging.hpp"

namespace debroot::sandbox {
namespace {

void report(int pipe, NamespaceStep step, int errno_value) noexcept {
  StepReport message{step, errno_value};
  // nobody to tell when this fails: the caller is gone and the lifeline says so too
  [[maybe_unused]] ssize_t put = ::write(pipe, &message, sizeof(message));
}

[[noreturn]] void fail(int pipe, NamespaceStep step) noexcept {
  report(pipe, step, errno);
  ::_exit(1);
}

void become_root(const NamespaceRequest &request, const KeeperPipes &pipes) {
  if (request.id_map) {
    if (::unshare(CLONE_NEWUSER) != 0) fail(pipes.status.get(), NamespaceStep::user_namespace);
    report(pipes.status.get(), NamespaceStep::user_namespace, 0);
    char go = 0;
    ssize_t got = 0;
    do got = ::read(pipes.lifeline.get(), &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) ::_exit(1);
  }
  // as root of a container that may not set groups there are none to drop that would matter
  bool groups_dropped = ::setgroups(0, nullptr) == 0 || !request.id_map;
  if (!groups_dropped || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) {
    fail(pipes.status.get(), NamespaceStep::identity);
  }
}

void enter_namespaces(const NamespaceRequest &request, int status) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) != 0) fail(status, NamespaceStep::other_namespaces);
  if (!make_mounts_private()) fail(status, NamespaceStep::propagation);
  constexpr std::string_view kNoDomain = "(none)";
  if (::sethostname(request.hostname.data(), request.hostname.size()) != 0 ||
      ::setdomainname(kNoDomain.data(), kNoDomain.size()) != 0) {
    fail(status, NamespaceStep::hostname);
  }
}

/// The keeper outlives the terminal's Ctrl-C, which is the caller's to act on.
void ignore_terminal_signals() noexcept {
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(number, SIG_IGN);
}

[[noreturn]] void run_body(pid_t keeper, base::Channel channel, const std::function<int(base::Channel)> &body) {
  reset_signals();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != keeper) ::_exit(1);
  int status = 1;
  try {
    status = body(std::move(channel));
  } catch (...) {
    status = 1;
  }
  // not exit: the caller's atexit handlers and static objects are not this process's
  ::_exit(status);
}

/// Reaps every child that has ended. @return the builder's wait status once it is among them
std::optional<int> reap(pid_t builder) noexcept {
  std::optional<int> ended;
  int status = 0;
  while (true) {
    pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid == builder) ended = status;
    if (pid <= 0) return ended;
  }
}

/// Waits for the builder's end, killing it when the lifeline hangs up.
int wait_for_builder(pid_t builder, int lifeline, int signals) {
  std::array<pollfd, 2> watched{pollfd{signals, POLLIN, 0}, pollfd{lifeline, POLLIN, 0}};
  while (true) {
    if (auto status = reap(builder)) return *status;
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) {
      signalfd_siginfo info{};
      [[maybe_unused]] ssize_t got = ::read(signals, &info, sizeof(info));
    }
    if (watched[1].revents != 0) {
      ::kill(builder, SIGKILL);
      watched[1].fd = -1;
    }
  }
}

/// What hooks left running has become the keeper's child (it is a subreaper) and goes before the tree is removed.
void kill_descendants() {
  std::string path = fmt::format("/proc/self/task/{}/children", ::getpid());
  while (true) {
    reap(-1);
    base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    std::string children = base::read_all(file.get());
    auto pids = base::split_words(children);
    if (pids.empty()) return;
    for (std::string_view word : pids) {
      auto pid = base::parse_number(word);
      if (pid) ::kill(static_cast<pid_t>(*pid), SIGKILL);
    }
    int status = 0;
    ::waitpid(-1, &status, 0);
  }
}

}  // namespace

void reset_signals() noexcept {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void run_keeper(const NamespaceRequest &request, KeeperPipes pipes, base::Channel channel,
                const std::function<int(base::Channel)> &body) {
  reset_signals();
  ignore_terminal_signals();
  if (request.confinement == Confinement::namespaces) {
    become_root(request, pipes);
    enter_namespaces(request, pipes.status.get());
  }
  ::umask(022);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t child_ended;
  ::sigemptyset(&child_ended);
  ::sigaddset(&child_ended, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child_ended, nullptr);
  base::Fd signals(::signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK));
  pid_t keeper = ::getpid();
  pid_t builder = signals ? ::fork() : -1;
  if (builder < 0) fail(pipes.status.get(), NamespaceStep::body);
  if (builder == 0) {
    pipes = KeeperPipes{};
    signals.reset();
    run_body(keeper, std::move(channel), body);
  }
  channel.close();
  report(pipes.status.get(), NamespaceStep::ready, 0);
  pipes.status.reset();
  int status = wait_for_builder(builder, pipes.lifeline.get(), signals.get());
  try {
    kill_descendants();
    bool has_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    // a builder that was killed could not clean up after itself; a fresh ext4 keeps its lost+found
    if (has_failed && !request.output_directory.empty()) {
      unmount_below(request.output_directory);
      base::RootDirectory::open(request.output_directory).clear_directory("/", {"lost+found"});
    }
    for (const std::string &directory : request.staging_directories) remove_staging(directory);
  } catch (const std::exception &) {
    // a tree that cannot be removed now has a free lock soon and is the next run's to sweep
  }
  ::_exit(base::exit_status_of(status));
}

}  // namespace debroot::sandbox
