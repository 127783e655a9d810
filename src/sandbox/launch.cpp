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
#include "sandbox/quiet_sleep.hpp"
#include "sandbox/runner_view.hpp"

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
  bool skips_sleep;
  int report_fd;  ///< pipe that closes when the program runs, or else says why it does not
};

/// What the child says through `report_fd`. Not through the memory it borrows: an emulator gives it a copy.
struct Report {
  LaunchStep failed_step = LaunchStep::none;
  int errno_value = 0;
};

__attribute__((no_sanitize("address", "thread"))) int fail(const ChildPlan &plan, LaunchStep step) noexcept {
  Report report{step, errno};
  static_cast<void>(::write(plan.report_fd, &report, sizeof(report)));
  ::_exit(127);
}

/// Runs on a stack of its own in the parent's memory while the parent waits.
__attribute__((no_sanitize("address", "thread"))) int run_child(void *argument) noexcept {
  const ChildPlan &plan = *static_cast<const ChildPlan *>(argument);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setsid();
  // which makes the root of that namespace the root directory
  if (plan.mount_namespace >= 0 && (::setns(plan.mount_namespace, CLONE_NEWNS) != 0 || ::chroot(kTreePath) != 0)) {
    return fail(plan, LaunchStep::mount_namespace);
  }
  if (::dup2(plan.stdin_fd, 0) < 0 || ::dup2(plan.output_fd, 1) < 0 || ::dup2(plan.output_fd, 2) < 0) {
    return fail(plan, LaunchStep::standard_streams);
  }
  if (::chdir(plan.directory) != 0) return fail(plan, LaunchStep::directory);
  if (plan.skips_sleep) install_quiet_sleep();  // it only takes longer without
  ::execve(plan.program, plan.argv, plan.environment);
  return fail(plan, LaunchStep::execute);
}

/// Waits until the child runs its program or gives up.
Report read_report(int fd) noexcept {
  Report report;
  ssize_t length = -1;
  do {
    length = ::read(fd, &report, sizeof(report));
  } while (length < 0 && errno == EINTR);
  return length == sizeof(report) ? report : Report{};
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
  auto [report_end, child_end] = base::make_pipe();
  ChildPlan plan{program.c_str(),           arguments.data(),    environment.data(),
                 request.directory.c_str(), request.stdin_fd,    request.output_fd,
                 request.mount_namespace,   request.skips_sleep, child_end.get()};
  Launched launched;
  launched.pid =
      ::clone(run_child, stack_.data() + (stack_.size() & ~std::size_t{15}), CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (launched.pid < 0) {
    launched.failure = {0, 0, LaunchStep::execute, errno, false};
    return launched;
  }
  child_end.reset();
  if (Report report = read_report(report_end.get()); report.failed_step != LaunchStep::none) {
    int status = 0;
    while (::waitpid(launched.pid, &status, 0) < 0 && errno == EINTR) {
    }
    launched.pid = -1;
    launched.failure = {0, 0, report.failed_step, report.errno_value, false};
  }
  return launched;
}

}  // namespace debroot::sandbox
