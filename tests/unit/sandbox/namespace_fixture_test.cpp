// The fixture of the tests beside it (the build globs *_test.cpp); it holds no test of its own.
#include "namespace_fixture.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/id_map.hpp"

namespace debroot::sandbox::test {
namespace {

constexpr const char *kBusybox = "/usr/bin/busybox";

void become(const std::string &name) {
  passwd *entry = ::getpwnam(name.c_str());
  if (entry == nullptr || ::setgroups(0, nullptr) != 0 ||
      ::setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      ::setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0) {
    throw Error(ErrorKind::internal, "cannot become " + name);
  }
}

}  // namespace

std::optional<std::string> ordinary_user() {
  Caller self = current_caller();
  std::string subuid = ::access("/etc/subuid", R_OK) == 0 ? base::read_file("/etc/subuid") : std::string{};
  if (self.uid != 0) return find_subordinate_range(subuid, self) ? std::optional(self.name) : std::nullopt;
  for (std::string_view line : base::split(subuid, '\n')) {
    std::string name(base::split(line, ':').front());
    passwd *entry = name.empty() ? nullptr : ::getpwnam(name.c_str());
    if (entry != nullptr && entry->pw_uid != 0) return name;
  }
  return std::nullopt;
}

std::string reason_to_skip(As who) {
  if (who == As::root && ::geteuid() != 0) return "needs root";
  if (who == As::user && !ordinary_user()) return "no ordinary user with subordinate ids is at hand";
  if (::access(kBusybox, X_OK) != 0) return "needs the package busybox-static";
  std::string answer = run_as(who, [] { return in_builder(false, [] { return std::string("fine"); }); });
  return answer == "fine" ? "" : answer;
}

bool is_emulated() {
  std::filesystem::directory_iterator threads("/proc/self/task");
  return std::distance(begin(threads), end(threads)) > 1;
}

std::string run_as(As who, const std::function<std::string()> &scenario) {
  auto [read_end, write_end] = base::make_pipe();
  pid_t pid = ::fork();
  if (pid == 0) {
    std::string answer;
    try {
      if (who == As::user && ::geteuid() == 0) become(*ordinary_user());
      answer = scenario();
    } catch (const Error &error) {
      answer = "error: " + error.message() + (error.hint().empty() ? "" : "; try: " + error.hint());
    } catch (const std::exception &error) {
      answer = std::string("exception: ") + error.what();
    }
    base::write_all(write_end.get(), answer);
    ::_exit(0);
  }
  write_end.reset();
  std::string answer = base::read_all(read_end.get());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? answer : answer + "died";
}

std::string in_builder(bool needs_own_binfmt, const std::function<std::string()> &inside,
                       const std::string &staging_directory) {
  NamespaceRequest request = choose_namespaces(needs_own_binfmt);
  if (!staging_directory.empty()) request.staging_directories = {staging_directory};
  auto handle = start_builder(request, [&](base::Channel channel) {
    try {
      channel.send(inside());
    } catch (const Error &error) {
      channel.send("error: " + error.message());
    }
    return 0;
  });
  auto message = handle.channel().receive();
  int status = handle.wait();
  if (!message) return "builder ended with status " + std::to_string(status);
  return message->bytes;
}

void make_busybox_tree(const base::RootDirectory &root) {
  for (const char *directory : {"bin", "dev", "etc", "proc", "sys", "tmp", "run", "usr"}) {
    root.make_directories(directory);
  }
  root.write("bin/busybox", base::read_file(kBusybox), 0755);
  for (const char *name :
       {"sh",       "ls",   "cat",  "id", "mount", "echo", "readlink", "wget", "sleep",  "grep",  "sync", "kill",
        "hostname", "test", "head", "wc", "ps",    "stat", "touch",    "rm",   "umount", "chown", "cut",  "tr"}) {
    root.make_link(std::string("bin/") + name, "busybox");
  }
}

std::string shell(Runner &runner, const std::string &script, RunRequest request) {
  request.argv = {"/bin/sh", "-c", script};
  if (request.environment.empty()) request.environment = {"PATH=/bin"};
  std::string output;
  RunResult result = runner.run(request, [&](std::string_view chunk) { output += chunk; });
  return result.is_success() ? output : output + "[" + describe(result) + "]";
}

std::string make_scratch() {
  std::string path = "/tmp/debroot-test.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw Error(ErrorKind::internal, "no temporary directory");
  ::chmod(path.c_str(), 01777);
  return path;
}

}  // namespace debroot::sandbox::test
