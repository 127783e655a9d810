#include "customize/hook_listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/beneath.hpp"
#include "customize/tar_copy.hpp"

namespace debroot::customize {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view doing, const std::string &path, int cause) {
  throw base::os_error(ErrorKind::script, cause, fmt::format("cannot {} '{}'", doing, path));
}

void give_file(HookWire &wire, const std::string &path) {
  base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) fail("read", path, errno);
  if (S_ISDIR(info.st_mode)) fail("read", path, EISDIR);
  wire.send("okthx");
  std::array<char, 4096> buffer{};
  while (true) {
    ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) break;
    wire.send_content({buffer.data(), static_cast<std::size_t>(got)});
  }
  wire.finish_content();
}

/// `name` of the directory at `parent`, or for "." all that is in it.
void give_tar(HookWire &wire, const std::string &parent, const std::string &name, const std::string &path) {
  base::Fd directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat info {};
  if (!directory || ::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    fail("read", path, errno);
  }
  wire.send("okthx");
  write_tar(directory.get(), name, path, [&](std::string_view bytes) { wire.send_content(bytes); });
  wire.finish_content();
}

void give_entry(HookWire &wire, const std::string &path) {
  std::string whole = path;
  while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  if (whole == "/") return give_tar(wire, "/", ".", path);
  std::size_t slash = whole.rfind('/');
  if (slash == std::string::npos) return give_tar(wire, ".", whole, path);
  give_tar(wire, slash == 0 ? "/" : whole.substr(0, slash), whole.substr(slash + 1), path);
}

void make_directories(const std::string &path) {
  std::error_code failure;
  if (path.empty()) return;
  fs::create_directories(path, failure);
  if (!fs::is_directory(path)) fail("make the directory", path, failure ? failure.value() : EEXIST);
}

void take_file(HookWire &wire, const std::string &path) {
  make_directories(fs::path(path).parent_path().string());
  base::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) fail("write", path, errno);
  wire.send("okthx");
  while (std::optional<std::string> piece = wire.receive_content()) base::write_all(file.get(), *piece, path);
  wire.thank_for_content();
}

void take_tar(HookWire &wire, const std::string &path) {
  make_directories(path);
  base::RootDirectory directory = base::RootDirectory::open(path);
  wire.send("okthx");
  ExtractRules rules;
  rules.keeps_owner = ::geteuid() == 0;
  extract_tar([&] { return wire.receive_content(); }, directory, "/", rules);
  wire.thank_for_content();
}

void serve(HookWire &wire, const HookFrame &frame) {
  if (frame.verb == "openr") return give_file(wire, frame.payload);
  if (frame.verb == "openw") return take_file(wire, frame.payload);
  if (frame.verb == "mktar") return give_entry(wire, frame.payload);
  if (frame.verb == "mktac") return give_tar(wire, frame.payload, ".", frame.payload);
  if (frame.verb == "untar") return take_tar(wire, frame.payload);
  throw Error(ErrorKind::script,
              fmt::format("a hook asked for '{}', which is nothing that can be asked for", frame.verb));
}

[[noreturn]] void run_listener(pid_t parent, const base::Fd &socket) {
  // Ctrl-C reaches the whole group of processes; what follows from it is the build's to decide
  for (int number : {SIGINT, SIGHUP, SIGTERM, SIGPIPE}) ::signal(number, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::umask(022);
  try {
    HookWire wire(socket.get(), socket.get());
    serve_hook_requests(wire, {});
  } catch (const std::exception &) {
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

void serve_hook_requests(HookWire &wire, const std::function<void(const Error &)> &on_failure) {
  while (std::optional<HookFrame> frame = wire.receive()) {
    if (frame->verb == "adios") return wire.send("okthx");
    if (frame->verb == "error") continue;  // the inside has told whom it concerns
    try {
      serve(wire, *frame);
    } catch (const HookRefusal &) {
      continue;
    } catch (const Error &error) {
      wire.refuse(error);
      if (on_failure) on_failure(error);
    }
  }
}

HookListener HookListener::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw base::os_error(ErrorKind::internal, errno, "cannot make a socket pair");
  }
  base::Fd inside(ends[0]);
  base::Fd outside(ends[1]);
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid < 0) throw base::os_error(ErrorKind::internal, errno, "cannot start the process that copies for hooks");
  if (pid == 0) {
    inside.reset();
    run_listener(parent, outside);
  }
  return {pid, std::move(inside)};
}

HookListener::~HookListener() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace debroot::customize
