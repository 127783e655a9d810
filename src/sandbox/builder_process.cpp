#include "sandbox/builder_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "sandbox/keeper.hpp"
#include "sandbox/namespace_failure.hpp"
#include "sandbox/private_mounts.hpp"

namespace debroot::sandbox {
namespace {

/// The next report of the keeper; nothing when it died without one.
std::optional<StepReport> read_report(int pipe) {
  StepReport report;
  while (true) {
    ssize_t got = ::read(pipe, &report, sizeof(report));
    if (got < 0 && errno == EINTR) continue;
    if (got != static_cast<ssize_t>(sizeof(report))) return std::nullopt;
    return report;
  }
}

/// Waits until `step` is done. @throws Error when it, or one before it, failed
void expect_step(int pipe, NamespaceStep step) {
  auto report = read_report(pipe);
  if (!report) throw Error(ErrorKind::sandbox, "the builder process ended before it was set up");
  if (report->errno_value != 0 || report->step != step) {
    throw explain_namespace_failure(read_namespace_facts(), report->step, report->errno_value);
  }
}

void run_map_helper(const std::string &name, pid_t pid, const std::vector<IdRange> &ranges) {
  auto program = base::find_program(name);
  if (!program) throw missing_map_helper(name);
  std::vector<std::string> argv{*program, std::to_string(pid)};
  for (const IdRange &range : ranges) {
    argv.insert(argv.end(), {std::to_string(range.inside), std::to_string(range.outside), std::to_string(range.count)});
  }
  auto result = base::run_subprocess(argv);
  if (!result.is_success()) throw refused_map(*program, result.exit_status, result.output);
}

void write_map(pid_t pid, const char *file, const std::vector<IdRange> &ranges) {
  base::Fd fd(::open(fmt::format("/proc/{}/{}", pid, file).c_str(), O_WRONLY | O_CLOEXEC));
  std::string text = id_map_text(ranges);
  // the kernel takes a map in one write or not at all
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw explain_namespace_failure(read_namespace_facts(), NamespaceStep::id_map, errno);
  }
}

/// Sockets rather than a pipe: writing to a keeper that is gone must not raise SIGPIPE.
std::pair<base::Fd, base::Fd> make_lifeline() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw base::os_error(ErrorKind::internal, errno, "cannot make a socket pair");
  }
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

void write_maps(pid_t pid, const IdMap &map) {
  if (map.is_subordinate) {
    run_map_helper("newuidmap", pid, map.users);
    run_map_helper("newgidmap", pid, map.groups);
  } else {
    write_map(pid, "uid_map", map.users);
    write_map(pid, "gid_map", map.groups);
  }
}

}  // namespace

NamespaceRequest choose_namespaces(bool needs_own_binfmt) {
  NamespaceRequest request;
  if (::geteuid() != 0) {
    request.id_map = caller_id_map();
  } else if (needs_own_binfmt) {
    request.id_map = identity_id_map();
  }
  return request;
}

namespace {

/// Written to a pipe by the process that tries; both are static texts.
struct TriedStep {
  int number = 0;
  int errno_value = 0;
};
constexpr std::array<const char *, 4> kTriedSteps = {"make namespaces", "make mounts private", "mount a new tmpfs",
                                                     "change a mount"};

/// Of the steps that prepare a root's builder and runner, the first that fails; all of its mounts go with it.
TriedStep try_mounts() noexcept {
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID) != 0) return {1, errno};
  if (!make_mounts_private()) return {2, errno};
  if (::mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k") != 0) return {3, errno};
  if (::mount_setattr(AT_FDCWD, "/tmp", 0, &change, sizeof(change)) != 0) return {4, errno};
  return {};
}

}  // namespace

std::optional<std::string> why_no_mounts() {
  auto [read_end, write_end] = base::make_pipe();
  pid_t pid = ::fork();
  if (pid < 0) throw base::os_error(ErrorKind::sandbox, errno, "cannot start a process");
  if (pid == 0) {
    TriedStep step = try_mounts();
    [[maybe_unused]] ssize_t put = ::write(write_end.get(), &step, sizeof(step));
    ::_exit(0);
  }
  write_end.reset();
  TriedStep step;
  bool has_answer = ::read(read_end.get(), &step, sizeof(step)) == static_cast<ssize_t>(sizeof(step));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (has_answer && step.number == 0) return std::nullopt;
  if (!has_answer) return "try it: the process that tried has ended";
  std::string what = kTriedSteps.at(static_cast<std::size_t>(step.number) - 1);
  return base::os_error(ErrorKind::sandbox, step.errno_value, what).message();
}

BuilderHandle::BuilderHandle(pid_t keeper, base::Fd pidfd, base::Fd lifeline, base::Channel channel)
    : keeper_(keeper), pidfd_(std::move(pidfd)), lifeline_(std::move(lifeline)), channel_(std::move(channel)) {}

BuilderHandle::BuilderHandle(BuilderHandle &&other) noexcept { *this = std::move(other); }

BuilderHandle &BuilderHandle::operator=(BuilderHandle &&other) noexcept {
  std::swap(keeper_, other.keeper_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(lifeline_, other.lifeline_);
  std::swap(channel_, other.channel_);
  return *this;
}

BuilderHandle::~BuilderHandle() {
  kill();
  int status = 0;
  while (keeper_ > 0 && ::waitpid(keeper_, &status, 0) < 0 && errno == EINTR) {
  }
}

void BuilderHandle::release_keeper() {
  if (::send(lifeline_.get(), "g", 1, MSG_NOSIGNAL) != 1) {
    throw base::os_error(ErrorKind::sandbox, errno, "cannot start the builder process");
  }
}

int BuilderHandle::wait() {
  if (keeper_ <= 0) throw Error(ErrorKind::internal, "there is no builder process to wait for");
  int status = 0;
  while (::waitpid(keeper_, &status, 0) < 0) {
    if (errno != EINTR) throw base::os_error(ErrorKind::internal, errno, "cannot wait for the builder process");
  }
  keeper_ = -1;
  return base::exit_status_of(status);
}

BuilderHandle start_builder(const NamespaceRequest &request, const std::function<int(base::Channel)> &body) {
  auto [status_read, status_write] = base::make_pipe();
  auto [life_outer, life_inner] = make_lifeline();
  auto [outer, inner] = base::Channel::make_pair();
  pid_t keeper = ::fork();
  if (keeper < 0) throw base::os_error(ErrorKind::sandbox, errno, "cannot start the builder process");
  if (keeper == 0) {
    outer.close();
    status_read.reset();
    life_outer.reset();
    run_keeper(request, {std::move(status_write), std::move(life_inner)}, std::move(inner), body);
  }
  inner.close();
  life_inner.reset();
  status_write.reset();
  BuilderHandle handle(keeper, base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, keeper, 0))), std::move(life_outer),
                       std::move(outer));
  if (request.id_map) {
    expect_step(status_read.get(), NamespaceStep::user_namespace);
    write_maps(keeper, *request.id_map);
    handle.release_keeper();
  }
  expect_step(status_read.get(), NamespaceStep::ready);
  return handle;
}

}  // namespace debroot::sandbox
