#include "e2e/program.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "base/text.hpp"

namespace debroot::e2e {
namespace {

constexpr int kLimitMs = 60'000;
constexpr std::uint64_t kNeededIds = 65536;

base::Fd make_sink(const char *name) {
  base::Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) throw std::runtime_error("cannot make a file in memory");
  return fd;
}

/// Accounts that a file such as /etc/subuid gives enough ids to.
std::vector<std::string> names_with_ids(const std::string &file) {
  std::vector<std::string> names;
  std::error_code failure;
  if (!std::filesystem::exists(file, failure)) return names;
  std::string text = base::read_file(file);
  for (std::string_view line : base::split(text, '\n')) {
    auto words = base::split(line, ':');
    if (words.size() == 3 && base::parse_number(words[2]).value_or(0) >= kNeededIds) names.emplace_back(words[0]);
  }
  return names;
}

void become(const Account &account) {
  if (account.uid == ::geteuid()) return;
  if (::initgroups(account.name.c_str(), account.gid) != 0 || ::setgid(account.gid) != 0 ||
      ::setuid(account.uid) != 0) {
    throw std::runtime_error("cannot become " + account.name);
  }
}

std::vector<char *> pointers(std::vector<std::string> &words) {
  std::vector<char *> out;
  for (std::string &word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void execute(const Command &command, int out, int err) {
  try {
    ::setpgid(0, 0);  // Ctrl-C of a terminal reaches a group; the tests must not be in it
    int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    if (command.in_the_child) command.in_the_child();
    become(command.account);
    if (::chdir(command.directory.c_str()) != 0) throw std::runtime_error("cannot enter " + command.directory);
    std::vector<std::string> argv = command.argv;
    std::vector<std::string> environment;
    for (const auto &[name, value] : command.environment) environment.push_back(name + "=" + value);
    ::execve(argv[0].c_str(), pointers(argv).data(), pointers(environment).data());
    throw std::runtime_error("cannot start " + argv[0]);
  } catch (const std::exception &error) {
    std::string text = std::string("test harness: ") + error.what() + "\n";
    [[maybe_unused]] ssize_t put = ::write(STDERR_FILENO, text.data(), text.size());
  }
  ::_exit(120);
}

}  // namespace

Account own_account() {
  const passwd *entry = ::getpwuid(::geteuid());
  return {entry == nullptr ? "" : entry->pw_name, ::geteuid(), ::getegid()};
}

std::optional<Account> ordinary_account() {
  std::vector<std::string> groups = names_with_ids("/etc/subgid");
  for (const std::string &name : names_with_ids("/etc/subuid")) {
    const passwd *entry = ::getpwnam(name.c_str());
    bool has_groups = std::find(groups.begin(), groups.end(), name) != groups.end();
    if (entry == nullptr || entry->pw_uid == 0 || !has_groups) continue;
    if (::geteuid() == 0 || ::geteuid() == entry->pw_uid) return Account{name, entry->pw_uid, entry->pw_gid};
  }
  return std::nullopt;
}

Process::Process(const Command &command) : out_(make_sink("out")), err_(make_sink("err")) {
  int out = command.output_fd >= 0 ? command.output_fd : out_.get();
  int err = command.error_fd >= 0 ? command.error_fd : err_.get();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) execute(command, out, err);
  ::setpgid(pid_, pid_);
}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const noexcept { ::kill(pid_, number); }

std::string Process::err_so_far() const {
  // a descriptor of its own has an offset of its own, and the program writes at the other's
  base::Fd copy(::open(("/proc/self/fd/" + std::to_string(err_.get())).c_str(), O_RDONLY | O_CLOEXEC));
  return base::read_all(copy.get());
}

Finished Process::wait() {
  Finished finished;
  int status = 0;
  bool has_ended = wait_until([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, kLimitMs);
  if (has_ended) {
    pid_ = -1;
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ::lseek(out_.get(), 0, SEEK_SET);
  ::lseek(err_.get(), 0, SEEK_SET);
  finished.out = base::read_all(out_.get());
  finished.err = base::read_all(err_.get());
  return finished;
}

Finished run(const Command &command) { return Process(command).wait(); }

std::vector<pid_t> children() {
  std::vector<pid_t> found;
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    auto pid = base::parse_number(entry.path().filename().string());
    if (!pid) continue;
    try {
      std::string stat = base::read_file(entry.path().string() + "/stat");
      // "PID (NAME) STATE PARENT …", and NAME may hold anything
      std::string rest = stat.substr(stat.rfind(')') + 1);
      auto words = base::split_words(rest);
      bool is_zombie = words.size() > 1 && words[0] == "Z";
      if (words.size() > 1 && !is_zombie && base::parse_number(words[1]) == static_cast<std::uint64_t>(::getpid())) {
        found.push_back(static_cast<pid_t>(*pid));
      }
    } catch (const std::exception &) {
      // it ended while we looked
    }
  }
  return found;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool wait_until(const std::function<bool()> &is_true, int limit_ms) {
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (!is_true()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace debroot::e2e
