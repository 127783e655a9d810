#include "sandbox/unshare_command.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/fd.hpp"
#include "base/subprocess.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/first_process.hpp"

namespace debroot::sandbox {
namespace {

constexpr int kNotStarted = 127;

/// The status of `pid`; reaps whatever else ends before.
int wait_for(pid_t pid) noexcept {
  int status = 0;
  while (true) {
    pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == pid) return base::exit_status_of(status);
    if (ended < 0 && errno != EINTR) return kNotStarted;
  }
}

[[noreturn]] void execute(const std::vector<std::string> &argv) {
  std::vector<char *> words;
  for (const std::string &word : argv) words.push_back(const_cast<char *>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  std::string text = base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot run '{}'", argv[0])).message();
  static_cast<void>(std::fprintf(stderr, "E: %s\n", text.c_str()));
  ::_exit(kNotStarted);
}

/// Process 1 of the new namespace, whose end ends all others there.
[[noreturn]] void run_first_process(const std::vector<std::string> &argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pid_t command = ::fork();
  if (command == 0) execute(argv);
  ::_exit(command < 0 ? kNotStarted : wait_for(command));
}

}  // namespace

int run_unshared(const std::vector<std::string> &argv) {
  NamespaceRequest request = choose_namespaces(false);
  utsname names{};
  if (::uname(&names) == 0) request.hostname = names.nodename;
  BuilderHandle handle = start_builder(request, [&argv](base::Channel) {
    pid_t first = fork_into(CLONE_NEWPID);
    if (first == 0) run_first_process(argv);
    return first < 0 ? kNotStarted : wait_for(first);
  });
  for (int number : {SIGINT, SIGQUIT}) ::signal(number, SIG_IGN);
  for (int number : {SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
  return handle.wait();
}

}  // namespace debroot::sandbox
