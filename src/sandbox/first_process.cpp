#include "sandbox/first_process.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace debroot::sandbox {
namespace {

/// The raw call, because glibc's fork takes no flags; a process of one thread that never returns from here needs
/// nothing of what fork does besides.
pid_t clone_into(unsigned long flags) noexcept {
#if defined(__s390__)
  return static_cast<pid_t>(::syscall(SYS_clone, nullptr, flags | SIGCHLD, nullptr, nullptr, nullptr));
#else
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
#endif
}

/// Ends as the first process of the namespaces did, which ends with this one (PR_SET_PDEATHSIG).
[[noreturn]] void stand_for(pid_t first) noexcept {
  // what it held open would keep others from seeing that the first process, or the caller, has closed it
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  int status = 0;
  while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/// The same step by step. Only children get into a new pid namespace, so there is one process between.
pid_t unshare_into(unsigned long flags) noexcept {
  pid_t between = ::fork();
  if (between != 0) return between;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::unshare(static_cast<int>(flags)) != 0) ::_exit(1);
  pid_t first = ::fork();
  if (first != 0) stand_for(first);
  return 0;
}

}  // namespace

pid_t fork_into(unsigned long flags) noexcept {
  pid_t pid = clone_into(flags);
  // qemu-user, under which all of debroot may run, knows no namespaces in clone
  bool is_emulated = pid < 0 && errno == EINVAL && flags != 0;
  return is_emulated ? unshare_into(flags) : pid;
}

}  // namespace debroot::sandbox
