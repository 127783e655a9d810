#include "sandbox/runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "debroot/error.hpp"
#include "sandbox/first_process.hpp"
#include "sandbox/runner_messages.hpp"
#include "sandbox/runner_process.hpp"

namespace debroot::sandbox {
namespace {

Error gone() { return {ErrorKind::internal, "the process that runs scripts has ended"}; }

RunnerReply receive_reply(base::Channel &channel) {
  auto message = channel.receive();
  if (!message) throw gone();
  return base::from_wire<RunnerReply>(message->bytes);
}

/// The answer to start, enter, bind or unbind. @throws Error if it tells of a failure
RunnerReply expect_done(base::Channel &channel) {
  RunnerReply reply = receive_reply(channel);
  if (!reply.failed.empty()) {
    throw base::os_error(ErrorKind::sandbox, reply.errno_value, "cannot " + reply.failed);
  }
  return reply;
}

/// A copy of the mount at `directory`/`path` that hangs nowhere yet and can be handed to another mount namespace.
base::Fd detach_copy(int directory, const char *path, bool with_below, const std::string &shown) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (with_below ? unsigned{AT_RECURSIVE} : 0U) |
                   (path[0] == '\0' ? unsigned{AT_EMPTY_PATH} : 0U);
  base::Fd copy(::open_tree(directory, path, flags));
  if (!copy) throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot bind '{}' into the tree", shown));
  return copy;
}

void make_read_only(int mount, const std::string &shown) {
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) != 0) {
    throw base::os_error(ErrorKind::sandbox, errno, fmt::format("cannot bind '{}' read-only", shown));
  }
}

enum class PipeState { held, ended };

/// Passes on what is in the pipe now, without waiting.
PipeState drain(int pipe, const std::function<void(std::string_view)> &on_output) {
  std::array<char, 65536> chunk;
  while (true) {
    ssize_t got = ::read(pipe, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return PipeState::held;
    if (got == 0) return PipeState::ended;
    on_output(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
  }
}

std::string signal_text(int number) {
  const char *text = ::sigdescr_np(number);
  std::string lower(text == nullptr ? "unknown" : text);
  if (!lower.empty() && lower[0] >= 'A' && lower[0] <= 'Z') lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
  return lower;
}

std::string_view step_text(LaunchStep step) {
  switch (step) {
    case LaunchStep::none:
    case LaunchStep::execute:
      break;
    case LaunchStep::mount_namespace:
      return "entering its mount namespace: ";
    case LaunchStep::directory:
      return "entering its working directory: ";
    case LaunchStep::standard_streams:
      return "setting its standard streams: ";
  }
  return "";
}

}  // namespace

std::string describe(const RunResult &result) {
  if (result.failed_step != LaunchStep::none) {
    if (result.is_interpreter_missing) return "could not be started: its interpreter is not there";
    Error cause = base::os_error(ErrorKind::script, result.errno_value,
                                 fmt::format("could not be started: {}", step_text(result.failed_step)));
    std::string text = cause.message();
    // os_error puts its own colon behind what it is given
    std::size_t doubled = text.find(": : ");
    return doubled == std::string::npos ? text : text.replace(doubled, 4, ": ");
  }
  if (result.signal != 0) {
    return fmt::format("was killed by signal {} ({})", result.signal, signal_text(result.signal));
  }
  return fmt::format("exited with status {}", result.exit_status);
}

Runner Runner::start(const RunnerOptions &options) {
  auto [outer, inner] = base::Channel::make_pair();
  bool has_own = options.confinement == Confinement::namespaces;
  unsigned long namespaces = CLONE_NEWPID | CLONE_NEWNS | (options.shares_network ? 0UL : CLONE_NEWNET);
  pid_t pid = fork_into(has_own ? namespaces : 0UL);
  if (pid < 0) throw base::os_error(ErrorKind::sandbox, errno, "cannot start the process that runs scripts");
  if (pid == 0) {
    outer.close();
    run_runner(std::move(inner), options);
  }
  inner.close();
  Runner runner(pid, std::move(outer));
  runner.confinement_ = options.confinement;
  runner.notes_ = expect_done(runner.channel_).notes;
  return runner;
}

Runner::Runner(Runner &&other) noexcept { *this = std::move(other); }

Runner &Runner::operator=(Runner &&other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(channel_, other.channel_);
  std::swap(notes_, other.notes_);
  std::swap(confinement_, other.confinement_);
  std::swap(lingering_, other.lingering_);
  return *this;
}

Runner::~Runner() { stop(); }

void Runner::enter(const base::RootDirectory &root) {
  if (confinement_ == Confinement::host) return;
  bool is_mount = confinement_ == Confinement::namespaces;
  base::Fd tree = is_mount ? detach_copy(root.fd(), "", true, "/") : base::Fd(::dup(root.fd()));
  RunnerMessage message;
  message.action = RunnerAction::enter;
  channel_.send(base::to_wire(message), {tree.get()});
  RunnerReply reply = expect_done(channel_);
  notes_.insert(notes_.end(), reply.notes.begin(), reply.notes.end());
}

void Runner::bind(const std::vector<ReadOnlyBind> &binds) {
  // a message carries at most 16 descriptors
  constexpr std::size_t kBatch = 16;
  for (std::size_t begin = 0; begin < binds.size(); begin += kBatch) {
    RunnerMessage message;
    message.action = RunnerAction::bind;
    std::vector<base::Fd> mounts;
    std::vector<int> numbers;
    for (std::size_t i = begin; i < std::min(begin + kBatch, binds.size()); ++i) {
      mounts.push_back(detach_copy(AT_FDCWD, binds[i].source.c_str(), false, binds[i].source));
      make_read_only(mounts.back().get(), binds[i].source);
      numbers.push_back(mounts.back().get());
      message.targets.push_back(binds[i].target);
    }
    channel_.send(base::to_wire(message), numbers);
    expect_done(channel_);
  }
}

void Runner::unbind(const std::vector<std::string> &targets) {
  if (targets.empty()) return;
  RunnerMessage message;
  message.action = RunnerAction::unbind;
  message.targets = targets;
  channel_.send(base::to_wire(std::move(message)));
  expect_done(channel_);
}

RunResult Runner::run(const RunRequest &request, const std::function<void(std::string_view)> &on_output) {
  if (pid_ <= 0) throw gone();
  if (request.argv.empty()) throw Error(ErrorKind::internal, "a program to run must have a name");
  drain_lingering();
  auto [output, output_write] = base::make_pipe();
  ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(output.get(), F_SETPIPE_SZ, 1 << 20);  // a talkative script need not wait for us; refused is fine too
  RunnerMessage message{RunnerAction::run,
                        request.argv,
                        request.environment,
                        request.directory,
                        request.sees_binds,
                        request.skips_sleep,
                        {}};
  std::vector<int> fds{output_write.get()};
  if (request.stdin_fd >= 0) fds.push_back(request.stdin_fd);
  channel_.send(base::to_wire(std::move(message)), fds);
  output_write.reset();

  std::array<pollfd, 2> watched{pollfd{channel_.fd(), POLLIN, 0}, pollfd{output.get(), POLLIN, 0}};
  try {
    while (true) {
      ::poll(watched.data(), watched.size(), -1);
      bool has_ended = watched[0].revents != 0;
      // what the program wrote before it ended is in the pipe before the answer is in the channel
      if (drain(output.get(), on_output) == PipeState::ended) watched[1].fd = -1;
      if (!has_ended) continue;
      RunResult result = receive_reply(channel_).result;
      if (watched[1].fd >= 0) lingering_.push_back(std::move(output));
      return result;
    }
  } catch (...) {
    kill_current();
    if (channel_) static_cast<void>(channel_.receive());
    throw;
  }
}

void Runner::drain_lingering() {
  std::erase_if(lingering_,
                [](const base::Fd &pipe) { return drain(pipe.get(), [](std::string_view) {}) == PipeState::ended; });
}

void Runner::kill_current() noexcept {
  try {
    RunnerMessage message;
    message.action = RunnerAction::kill;
    channel_.send(base::to_wire(message));
  } catch (const Error &) {
    // a runner that is gone runs nothing
  }
}

void Runner::stop() noexcept {
  if (pid_ <= 0) return;
  channel_.close();
  lingering_.clear();
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace debroot::sandbox
