#include "sandbox/first_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/fd.hpp"

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

/// The same step by step. Only children get into a new pid namespace, and this process's later ones are not to: it goes
/// back, which only real root may.
pid_t unshare_into(unsigned long flags) noexcept {
  base::Fd own(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  if (!own || ::unshare(CLONE_NEWPID) != 0) return -1;
  pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(static_cast<int>(flags & ~static_cast<unsigned long>(CLONE_NEWPID))) != 0) ::_exit(1);
    return 0;
  }
  int cause = errno;
  if (::setns(own.get(), CLONE_NEWPID) != 0 && pid > 0) {
    cause = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }
  errno = cause;
  return pid;
}

}  // namespace

pid_t fork_into(unsigned long flags) noexcept {
  pid_t pid = clone_into(flags);
  // qemu-user, under which all of debroot may run, knows no namespaces in clone
  bool is_emulated = pid < 0 && errno == EINVAL && (flags & CLONE_NEWPID) != 0;
  return is_emulated ? unshare_into(flags) : pid;
}

}  // namespace debroot::sandbox
