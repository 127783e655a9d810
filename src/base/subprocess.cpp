#include "base/subprocess.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::base {
namespace {

constexpr std::string_view kUsualDirectories = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";
constexpr std::uint64_t kMaxOutputBytes = std::uint64_t{1} << 20;

bool is_executable_file(const std::string &path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::optional<std::string> find_in(std::string_view name, std::string_view directories) {
  for (std::string_view directory : split(directories, ':')) {
    // an empty element means the working directory: never looked at
    if (directory.empty() || directory.front() != '/') continue;
    std::string path = fmt::format("{}/{}", directory, name);
    if (is_executable_file(path)) return path;
  }
  return std::nullopt;
}

Error cannot_run(const std::string &program, int cause) {
  return os_error(ErrorKind::sandbox, cause, fmt::format("cannot run '{}'", program));
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw os_error(ErrorKind::internal, errno, "cannot wait for a program");
  }
  return exit_status_of(status);
}

}  // namespace

int exit_status_of(int wait_status) noexcept {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

SubprocessResult run_subprocess(const std::vector<std::string> &argv) {
  // posix_spawn tells it as well, but not where an emulator makes its vfork a fork
  if (::access(argv.front().c_str(), X_OK) != 0) throw cannot_run(argv.front(), errno);
  auto [read_end, write_end] = make_pipe();
  std::vector<char *> arguments;
  for (const std::string &argument : argv) arguments.push_back(const_cast<char *>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
  pid_t pid = -1;
  int cause = ::posix_spawn(&pid, argv.front().c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (cause != 0) throw cannot_run(argv.front(), cause);
  write_end.reset();

  SubprocessResult result;
  result.output = read_all(read_end.get(), kMaxOutputBytes);
  result.exit_status = wait_for(pid);
  return result;
}

std::optional<std::string> find_program(std::string_view name, std::string_view search_path) {
  if (auto found = find_in(name, search_path)) return found;
  return find_in(name, kUsualDirectories);
}

std::optional<std::string> find_program(std::string_view name) {
  const char *path = std::getenv("PATH");
  return find_program(name, path == nullptr ? std::string_view{} : std::string_view(path));
}

}  // namespace debroot::base
