#include "customize/hooks.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/line_listener.hpp"
#include "base/text.hpp"
#include "customize/hook_process.hpp"
#include "customize/resolver.hpp"
#include "debroot/error.hpp"

namespace debroot::customize {
namespace {

bool is_plain_word(std::string_view command) {
  return std::all_of(command.begin(), command.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
  });
}

/// Gives `on_line` each whole line as it comes, and keeps all of it.
std::string collect_output(int fd, const std::function<void(std::string_view)> &on_line) {
  base::LineListener listener(on_line);
  char chunk[4096];
  while (true) {
    ssize_t got = ::read(fd, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return listener.finish();
    listener.take({chunk, static_cast<std::size_t>(got)});
  }
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

}  // namespace

std::vector<std::string> hook_arguments(const std::string &command, const std::string &root_path) {
  if (is_plain_word(command) || ::access(command.c_str(), X_OK) == 0) return {command, root_path};
  return {"sh", "-c", command, "exec", root_path};
}

void run_hook(const base::RootDirectory &root, const Hook &hook, const HookSettings &settings) {
  HostResolver resolver(root);
  HookProcess process =
      HookProcess::start(hook_arguments(hook.command, settings.root_path), settings.environment, settings.root_path);
  std::string output = collect_output(process.output_fd(), settings.on_output);
  int status = process.wait();
  resolver.remove();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  Error error(ErrorKind::script,
              fmt::format("{} hook '{}' {}", hook_stage_name(hook.stage), hook.command, ending_of(status)));
  for (std::string_view line : base::split(base::trim(output), '\n')) error.detail("output", std::string(line));
  throw error;
}

}  // namespace debroot::customize
