#include "customize/hooks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include "base/text.hpp"
#include "customize/hook_process.hpp"
#include "customize/resolver.hpp"
#include "customize/special_verbs.hpp"
#include "debroot/error.hpp"

namespace debroot::customize {
namespace {

bool is_plain_word(std::string_view command) {
  return std::all_of(command.begin(), command.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
  });
}

/// Gives `listener` what there is to read. @return false at the end of the output
bool take_output(int fd, base::LineListener &listener) {
  char chunk[4096];
  while (true) {
    ssize_t got = ::read(fd, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    listener.take({chunk, static_cast<std::size_t>(got)});
  }
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("exited with status {}", WEXITSTATUS(status));
}

bool is_at(const base::RootDirectory &root, const std::string &path) {
  struct stat mine {};
  struct stat there {};
  return ::fstat(root.fd(), &mine) == 0 && ::stat(path.c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
         mine.st_ino == there.st_ino;
}

/// Processes whose parent is this one.
std::vector<pid_t> children() {
  std::vector<pid_t> out;
  std::error_code failure;
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task", failure)) {
    base::Fd file(::open((task.path() / "children").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;
    std::string text = base::read_all(file.get());
    for (std::string_view word : base::split_words(text)) {
      if (auto pid = base::parse_number(word)) out.push_back(static_cast<pid_t>(*pid));
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> hook_arguments(const Hook &hook, const std::string &root_path) {
  if (hook.is_chrooted) return {"sh", "-c", hook.command};
  if (is_plain_word(hook.command) || ::access(hook.command.c_str(), X_OK) == 0) return {hook.command, root_path};
  return {"sh", "-c", hook.command, "exec", root_path};
}

std::string hook_announcement(const Hook &hook, const std::string &root_path) {
  if (hook.is_chrooted) {
    return fmt::format("running --chrooted-{}-hook in shell: sh -c '{}'", hook_stage_name(hook.stage), hook.command);
  }
  if (is_special_verb(hook.command)) return fmt::format("running special hook: {}", hook.command);
  bool is_direct = hook_arguments(hook, root_path).size() == 2;
  std::string_view form =
      is_direct ? "running --{}-hook directly: {} {}" : "running --{}-hook in shell: sh -c '{}' exec {}";
  return fmt::format(fmt::runtime(form), hook_stage_name(hook.stage), hook.command, root_path);
}

std::string hook_title(const Hook &hook) {
  constexpr std::size_t kLongest = 100;
  const std::string &whole = hook.name.empty() ? hook.command : hook.name;
  std::string command = whole.substr(0, whole.find('\n'));
  if (command.size() > kLongest) {
    command.resize(kLongest);
    while (!command.empty() && (command.back() & 0xc0) == 0x80) command.pop_back();  // no half of a character
    if (!command.empty() && (command.back() & 0x80) != 0) command.pop_back();
  }
  std::string_view more = command.size() < whole.size() ? "…" : "";
  return fmt::format("{}{} hook '{}{}'", hook.is_chrooted ? "chrooted " : "", hook_stage_name(hook.stage), command,
                     more);
}

HookRunner::HookRunner(const base::RootDirectory &root, std::string root_path)
    : root_(root), root_path_(std::move(root_path)), children_before_(children()) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void HookRunner::run(const Hook &hook, const HookSettings &settings) {
  take_lingering_output();
  if (!hook.is_chrooted && is_special_verb(hook.command)) {
    run_verb(hook, settings);
  } else {
    std::optional<HostResolver> resolver;
    if (settings.brings_resolver) resolver.emplace(root_);
    run_program(hook, settings);
    check_root(hook);
    if (resolver) resolver->remove();
  }
}

void HookRunner::run_verb(const Hook &hook, const HookSettings &settings) {
  HookWire wire(settings.socket, settings.socket);
  std::optional<std::vector<std::string>> words = base::shell_words(hook.command);
  SpecialVerbContext context{root_, wire, settings.skips, settings.on_output};
  try {
    run_special_verb(context, words.value_or(std::vector<std::string>{hook.command}));
  } catch (Error &error) {
    throw std::move(error.frame(fmt::format("running the {}", hook_title(hook))));
  }
}

void HookRunner::run_program(const Hook &hook, const HookSettings &settings) {
  HookProcess process =
      HookProcess::start(hook_arguments(hook, root_path_), settings.environment,
                         {hook.is_chrooted ? root_path_ : std::string(), settings.socket, settings.writes_to_stderr});
  Output output{std::move(process.output()), base::LineListener(settings.on_output)};
  bool has_more = static_cast<bool>(output.fd);
  if (has_more) ::fcntl(output.fd.get(), F_SETFL, O_NONBLOCK);
  bool is_over = false;
  while (!is_over) {
    // the end of the hook is what is waited for: a process that it left behind may hold its output for long
    pollfd ready[2] = {{process.pidfd(), POLLIN, 0}, {has_more ? output.fd.get() : -1, POLLIN, 0}};
    ::poll(ready, 2, -1);
    is_over = (ready[0].revents != 0);
    has_more = has_more && take_output(output.fd.get(), output.listener);
  }
  int status = process.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    if (has_more)
      lingering_.push_back(std::move(output));
    else
      static_cast<void>(output.listener.finish());
    return;
  }
  Error error(ErrorKind::script, fmt::format("{} {}", hook_title(hook), ending_of(status)));
  std::string text = output.listener.finish();
  for (std::string_view line : base::split(base::trim(text), '\n')) {
    if (!text.empty()) error.detail("output", std::string(line));
  }
  throw error;
}

void HookRunner::check_root(const Hook &hook) {
  if (is_at(root_, root_path_)) return;
  if (is_at(root_, "/")) {
    root_path_ = "/";
    return;
  }
  throw Error(ErrorKind::script,
              fmt::format("{} took the root away: '{}' is not what it was", hook_title(hook), root_path_));
}

void HookRunner::take_lingering_output() {
  std::erase_if(lingering_, [](Output &output) {
    if (take_output(output.fd.get(), output.listener)) return false;
    static_cast<void>(output.listener.finish());
    return true;
  });
}

void HookRunner::finish(bool waits) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  while (true) {
    std::vector<pid_t> left = children();
    std::erase_if(left, [&](pid_t pid) {
      return std::find(children_before_.begin(), children_before_.end(), pid) != children_before_.end();
    });
    take_lingering_output();
    if (left.empty()) return;
    for (pid_t pid : left) {
      if (!waits) ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, waits ? WNOHANG : 0);
    }
    // what they leave behind comes to this process in turn
    if (waits) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace debroot::customize
