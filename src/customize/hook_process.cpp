#include "customize/hook_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "debroot/error.hpp"

namespace debroot::customize {
namespace {

/// A bind mount prepared before the fork: between fork and exec nothing may allocate.
struct Bind {
  const char *from;
  std::string onto;
};

struct Preparation {
  std::vector<Bind> binds;
  std::vector<const char *> argv;
  std::vector<const char *> environment;
  std::optional<std::string> search_path;
};

Preparation prepare(const std::vector<std::string> &argv, const std::vector<std::string> &environment,
                    const std::string &root_path) {
  Preparation out;
  for (const char *directory : {"/proc", "/sys", "/dev"}) out.binds.push_back({directory, root_path + directory});
  for (const std::string &word : argv) out.argv.push_back(word.c_str());
  for (const std::string &variable : environment) out.environment.push_back(variable.c_str());
  out.argv.push_back(nullptr);
  out.environment.push_back(nullptr);
  return out;
}

/// The child: own mounts, then the program. A root without such a directory, or a host that forbids the bind, leaves
/// the hook without that mount, as mmdebstrap does.
[[noreturn]] void run_child(const Preparation &preparation, int output, int failure) noexcept {
  if (::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) {
    for (const Bind &bind : preparation.binds) {
      ::mount(bind.from, bind.onto.c_str(), nullptr, MS_BIND | MS_REC, nullptr);
    }
  }
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvpe(preparation.argv[0], const_cast<char *const *>(preparation.argv.data()),
            const_cast<char *const *>(preparation.environment.data()));
  int cause = errno;
  [[maybe_unused]] ssize_t put = ::write(failure, &cause, sizeof(cause));
  ::_exit(127);
}

}  // namespace

HookProcess HookProcess::start(const std::vector<std::string> &argv, const std::vector<std::string> &environment,
                               const std::string &root_path) {
  Preparation preparation = prepare(argv, environment, root_path);
  auto [output, output_end] = base::make_pipe();
  auto [failure, failure_end] = base::make_pipe();
  pid_t pid = ::fork();
  if (pid < 0) throw base::os_error(ErrorKind::script, errno, "cannot start a hook");
  if (pid == 0) run_child(preparation, output_end.get(), failure_end.get());
  output_end.reset();
  failure_end.reset();
  int cause = 0;
  if (::read(failure.get(), &cause, sizeof(cause)) == sizeof(cause)) {
    ::waitpid(pid, nullptr, 0);
    throw base::os_error(ErrorKind::script, cause, fmt::format("cannot start the hook '{}'", argv[0]));
  }
  return HookProcess(pid, std::move(output));
}

int HookProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace debroot::customize
