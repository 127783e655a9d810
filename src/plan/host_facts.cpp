#include "plan/host_facts.hpp"

#include <pwd.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <thread>

#include "base/fd.hpp"
#include "base/subprocess.hpp"
#include "debian/architecture.hpp"

namespace debroot::plan {
namespace {

/// The affinity mask, not the number of CPUs of the machine: a CI job is often given fewer.
unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

std::string nodename() {
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.nodename) : std::string();
}

bool is_null_device(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

/// ischroot(1)'s test for root: the root directory of process 1 is another one.
bool is_in_chroot() {
  struct stat own {};
  struct stat first {};
  if (::stat("/", &own) != 0 || ::stat("/proc/1/root", &first) != 0) return false;
  return own.st_dev != first.st_dev || own.st_ino != first.st_ino;
}

}  // namespace

std::string HostFacts::variable(std::string_view name) const {
  auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

HostFacts gather_host_facts(const char *const *environment) {
  HostFacts facts;
  facts.architecture = debian::host_architecture();
  facts.user_id = ::geteuid();
  facts.cpus = usable_cpus();
  facts.is_stdout_terminal = ::isatty(STDOUT_FILENO) == 1;
  facts.is_in_chroot = is_in_chroot();
  facts.has_program = [](const std::string &name) { return base::find_program(name).has_value(); };
  facts.is_stdout_null = is_null_device(STDOUT_FILENO);
  std::error_code failure;
  auto directory = std::filesystem::current_path(failure);
  if (failure) throw base::os_error(ErrorKind::usage, failure.value(), "cannot find the working directory");
  facts.working_directory = directory.string();
  facts.hostname = nodename();
  if (const passwd *account = ::getpwnam("_apt")) facts.apt_user_id = account->pw_uid;
  facts.start_time = std::time(nullptr);
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    std::string_view entry = *environment;
    std::size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    facts.environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  facts.read_standard_input = [] { return base::read_all(STDIN_FILENO, std::uint64_t{1} << 24); };
  return facts;
}

}  // namespace debroot::plan
