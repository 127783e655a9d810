#include "customize/hook_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "debroot/error.hpp"

extern char **environ;  // NOLINT: the C library declares it only in <unistd.h> of some systems

namespace debroot::customize {
namespace {

/// All that the child needs, ready before the fork: between fork and exec nothing may allocate.
struct Preparation {
  std::vector<char *> argv;
  std::vector<char *> environment;
  const char *root = nullptr;
  int socket = -1;
};

/// What a child needs two of: pipes, of which the second end is its own.
using Pipe = std::pair<base::Fd, base::Fd>;

std::vector<char *> pointers(const std::vector<std::string> &words) {
  std::vector<char *> out;
  for (const std::string &word : words) out.push_back(const_cast<char *>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void run_child(const Preparation &preparation, int output, int failure) noexcept {
  constexpr int kBehindHookSocket = kHookSocket + 1;
  failure = ::fcntl(failure, F_DUPFD_CLOEXEC, kBehindHookSocket);  // the numbers below get new meanings
  int socket = preparation.socket < 0 ? -1 : ::fcntl(preparation.socket, F_DUPFD_CLOEXEC, kBehindHookSocket);
  ::dup2(output >= 0 ? output : STDERR_FILENO, STDOUT_FILENO);
  if (output >= 0) ::dup2(output, STDERR_FILENO);
  if (socket >= 0) ::dup2(socket, kHookSocket);
  bool is_ready = preparation.root == nullptr || (::chroot(preparation.root) == 0 && ::chdir("/") == 0);
  if (is_ready) {
    environ = const_cast<char **>(preparation.environment.data());
    ::execvp(preparation.argv[0], preparation.argv.data());
  }
  int cause = errno;
  [[maybe_unused]] ssize_t put = ::write(failure, &cause, sizeof(cause));
  ::_exit(127);
}

}  // namespace

HookProcess HookProcess::start(const std::vector<std::string> &argv, const std::vector<std::string> &environment,
                               const HookProcessOptions &options) {
  Preparation preparation{pointers(argv), pointers(environment), options.root.empty() ? nullptr : options.root.c_str(),
                          options.socket};
  auto [output, output_end] = options.writes_to_stderr ? Pipe() : base::make_pipe();
  auto [failure, failure_end] = base::make_pipe();
  pid_t pid = ::fork();
  if (pid < 0) throw base::os_error(ErrorKind::script, errno, "cannot start a hook");
  if (pid == 0) run_child(preparation, output_end.get(), failure_end.get());
  output_end.reset();
  failure_end.reset();
  base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  int cause = 0;
  if (::read(failure.get(), &cause, sizeof(cause)) == sizeof(cause)) {
    ::waitpid(pid, nullptr, 0);
    throw base::os_error(ErrorKind::script, cause, fmt::format("cannot start the hook '{}'", argv[0]));
  }
  return {pid, std::move(pidfd), std::move(output)};
}

int HookProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace debroot::customize
