#include "sandbox/launch.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::sandbox {
namespace {

constexpr std::size_t kStackBytes = std::size_t{128} * 1024;
constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything the child needs, laid out before it exists: it must neither allocate nor throw.
struct ChildPlan {
  const char *program;
  char *const *argv;
  char *const *environment;
  const char *directory;
  int stdin_fd;
  int output_fd;
  int mount_namespace;
  LaunchStep failed_step;  ///< written by the child into the memory it shares
  int errno_value;
};

__attribute__((no_sanitize("address", "thread"))) int fail(ChildPlan &plan, LaunchStep step) noexcept {
  plan.failed_step = step;
  plan.errno_value = errno;
  ::_exit(127);
}

/// Runs on a stack of its own in the parent's memory while the parent waits.
__attribute__((no_sanitize("address", "thread"))) int run_child(void *argument) noexcept {
  ChildPlan &plan = *static_cast<ChildPlan *>(argument);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  if (plan.mount_namespace >= 0 && ::setns(plan.mount_namespace, CLONE_NEWNS) != 0) {
    return fail(plan, LaunchStep::mount_namespace);
  }
  if (::dup2(plan.stdin_fd, 0) < 0 || ::dup2(plan.output_fd, 1) < 0 || ::dup2(plan.output_fd, 2) < 0) {
    return fail(plan, LaunchStep::standard_streams);
  }
  if (::chdir(plan.directory) != 0) return fail(plan, LaunchStep::directory);
  ::execve(plan.program, plan.argv, plan.environment);
  return fail(plan, LaunchStep::execute);
}

std::vector<char *> pointers(const std::vector<std::string> &strings) {
  std::vector<char *> all;
  all.reserve(strings.size() + 1);
  for (const std::string &text : strings) all.push_back(const_cast<char *>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

bool is_elf(const std::string &path) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4> head{};
  return fd && ::read(fd.get(), head.data(), head.size()) == 4 && std::memcmp(head.data(), "\177ELF", 4) == 0;
}

}  // namespace

std::string resolve_program(const std::string &name, const std::vector<std::string> &environment) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view path = kDefaultPath;
  for (const std::string &variable : environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  for (std::string_view directory : base::split(path, ':')) {
    if (directory.empty()) continue;
    std::string candidate = std::string(directory) + "/" + name;
    struct stat info {};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0) return candidate;
  }
  return name;
}

Launcher::Launcher() : stack_(kStackBytes) {}

Launched Launcher::launch(const LaunchRequest &request) {
  std::string program = resolve_program(request.argv.at(0), request.environment);
  Launched launched = start(request, program, request.argv);
  if (launched.failure.failed_step != LaunchStep::execute) return launched;
  if (launched.failure.errno_value == ENOEXEC && !is_elf(program)) {
    std::vector<std::string> argv = request.argv;
    argv[0] = program;
    argv.insert(argv.begin(), "/bin/sh");
    return start(request, "/bin/sh", argv);
  }
  launched.failure.is_interpreter_missing =
      launched.failure.errno_value == ENOENT && ::access(program.c_str(), F_OK) == 0;
  return launched;
}

Launched Launcher::start(const LaunchRequest &request, const std::string &program,
                         const std::vector<std::string> &argv) {
  std::vector<char *> arguments = pointers(argv);
  std::vector<char *> environment = pointers(request.environment);
  ChildPlan plan{program.c_str(),           arguments.data(), environment.data(),
                 request.directory.c_str(), request.stdin_fd, request.output_fd,
                 request.mount_namespace,   LaunchStep::none, 0};
  Launched launched;
  launched.pid =
      ::clone(run_child, stack_.data() + (stack_.size() & ~std::size_t{15}), CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (launched.pid < 0) {
    launched.failure = {0, 0, LaunchStep::execute, errno, false};
  } else if (plan.failed_step != LaunchStep::none) {
    int status = 0;
    while (::waitpid(launched.pid, &status, 0) < 0 && errno == EINTR) {
    }
    launched.pid = -1;
    launched.failure = {0, 0, plan.failed_step, plan.errno_value, false};
  }
  return launched;
}

}  // namespace debroot::sandbox
