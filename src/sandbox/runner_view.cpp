#include "sandbox/runner_view.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/beneath.hpp"
#include "base/text.hpp"

namespace debroot::sandbox {
namespace {

constexpr unsigned long kHarmless = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/// Device nodes every Debian system has that a program may use without a device behind them.
constexpr std::array kDeviceNodes = {"null", "zero", "full", "random", "urandom", "tty"};
constexpr std::array kDeviceLinks = {std::pair{"fd", "/proc/self/fd"}, std::pair{"stdin", "/proc/self/fd/0"},
                                     std::pair{"stdout", "/proc/self/fd/1"}, std::pair{"stderr", "/proc/self/fd/2"},
                                     std::pair{"ptmx", "pts/ptmx"}};

/// Where the tiny tmpfs is put together; the host's directory under it is never touched.
constexpr const char *kBench = "/tmp";

std::string on_bench(std::string_view path) { return fmt::format("{}/{}", kBench, path); }

void make_directory(const std::string &path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) fail_step("make directories for the mounts");
}

bool mount_new(const char *type, const std::string &path, unsigned long flags, const char *options) {
  return ::mount(type, path.c_str(), type, flags, options) == 0;
}

void mount_or_fail(const char *type, const std::string &path, unsigned long flags, const char *options) {
  if (!mount_new(type, path, flags, options)) fail_step(fmt::format("mount a new {}", type));
}

bool bind_mount(const std::string &from, const std::string &to, unsigned long flags) {
  return ::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | flags, nullptr) == 0;
}

/// Makes one mount read-only, keeping the flags that a user namespace may not take away.
bool make_read_only(const std::string &path, bool with_below) {
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  unsigned flags = with_below ? AT_RECURSIVE : 0;
  return ::mount_setattr(AT_FDCWD, path.c_str(), flags, &change, sizeof(change)) == 0;
}

void prepare_proc(std::vector<std::string> &notes) {
  std::string proc = on_bench("proc");
  if (::mount("proc", proc.c_str(), "proc", kHarmless, nullptr) != 0) {
    // a container that masks parts of /proc may not have an unmasked one
    if (!bind_mount("/proc", proc, MS_REC)) fail_step("mount a new /proc");
    notes.emplace_back("this host allows no new /proc, so scripts see the host's processes there");
    return;
  }
  for (const char *entry : {"sys", "sysrq-trigger"}) {
    std::string path = fmt::format("{}/{}", proc, entry);
    if (bind_mount(path, path, 0)) make_read_only(path, false);
  }
}

void prepare_dev(const std::string &private_name, std::vector<std::string> &notes) {
  std::string dev = on_bench("dev");
  mount_or_fail("tmpfs", dev, MS_NOSUID | MS_NOEXEC, "mode=0755,size=4m,nr_inodes=4k");
  for (const char *name : kDeviceNodes) {
    std::string path = fmt::format("{}/{}", dev, name);
    base::Fd placeholder(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (!placeholder) fail_step("make files in a new /dev");
    if (bind_mount(fmt::format("/dev/{}", name), path, 0)) continue;
    ::unlink(path.c_str());
    notes.push_back(fmt::format("this host has no /dev/{}, so scripts have none either", name));
  }
  for (auto [name, target] : kDeviceLinks) {
    if (::symlink(target, fmt::format("{}/{}", dev, name).c_str()) != 0) fail_step("make links in a new /dev");
  }
  make_directory(dev + "/pts");
  make_directory(dev + "/shm");
  if (!private_name.empty()) make_directory(fmt::format("{}/{}", dev, private_name));
  bool has_terminals =
      mount_new("devpts", dev + "/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
  // a namespace with few ids has no group 5 (tty)
  if (!has_terminals && errno == EINVAL) {
    has_terminals = mount_new("devpts", dev + "/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  }
  if (!has_terminals) fail_step("mount a new devpts");
  mount_or_fail("tmpfs", dev + "/shm", MS_NOSUID | MS_NODEV, "mode=1777");
}

void prepare_sys(const RunnerOptions &options, std::vector<std::string> &notes) {
  std::string sys = on_bench("sys");
  // sysfs shows the network namespace it was mounted in: only with one's own may it be mounted anew
  if (!options.shares_network && ::mount("sysfs", sys.c_str(), "sysfs", kHarmless | MS_RDONLY, nullptr) == 0) return;
  if (bind_mount("/sys", sys, MS_REC) && make_read_only(sys, true)) return;
  ::umount2(sys.c_str(), MNT_DETACH);
  notes.emplace_back("this host allows no /sys for scripts");
}

/// Moves a prepared mount to the tree's directory of the same name; false when there is no such directory.
bool move_prepared(const base::RootDirectory &tree, const std::string &name) {
  auto target = tree.try_open_file(name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!target) return false;
  std::string prepared = "/" + name;
  if (::move_mount(AT_FDCWD, prepared.c_str(), target->get(), "", MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    // what could not be prepared is no mount and cannot move; that was noted then
    if (errno != EINVAL) fail_step(fmt::format("mount /{} in the tree", name));
  }
  return true;
}

/// Overwrites the strings that the kernel shows as this process's command line or environment. `first` is the number of
/// the field of /proc/self/stat that holds their start; the end follows (proc_pid_stat(5)).
void overwrite_strings(const std::vector<std::string_view> &stat, std::size_t first) noexcept {
  // the first two fields, pid and name, are cut off
  if (stat.size() < first - 1) return;
  auto start = base::parse_number(stat[first - 3]);
  auto end = base::parse_number(stat[first - 2]);
  if (!start || !end || *start == 0 || *end <= *start) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel tells the address as a number
  std::memset(reinterpret_cast<void *>(*start), 0, static_cast<std::size_t>(*end - *start));
}

}  // namespace

void fail_step(std::string step) { throw RunnerFailure{std::move(step), errno}; }

std::vector<std::string> prepare_view(const RunnerOptions &options) {
  std::vector<std::string> notes;
  if (!options.shares_network) raise_loopback();
  mount_or_fail("tmpfs", kBench, MS_NOSUID | MS_NODEV, "mode=0755,size=1m,nr_inodes=256");
  for (const char *name : {"proc", "dev", "sys", "tree"}) make_directory(on_bench(name));
  if (options.mounts_proc) prepare_proc(notes);
  if (options.mounts_dev) prepare_dev(options.private_name, notes);
  if (options.mounts_sys) prepare_sys(options, notes);
  bool is_alone = ::chdir(kBench) == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0 &&
                  ::chdir("/") == 0;
  if (!is_alone) fail_step("change the root directory");
  return notes;
}

std::vector<std::string> enter_tree(base::Fd tree, const RunnerOptions &options) {
  std::vector<std::string> notes;
  if (::move_mount(tree.get(), "", AT_FDCWD, kTreePath, MOVE_MOUNT_F_EMPTY_PATH) != 0) fail_step("mount the tree");
  if (::fchdir(tree.get()) != 0) fail_step("change the root directory");
  base::RootDirectory root(std::move(tree));
  for (auto [name, is_wanted] : {std::pair{"proc", options.mounts_proc}, std::pair{"dev", options.mounts_dev},
                                 std::pair{"sys", options.mounts_sys}}) {
    if (!is_wanted || move_prepared(root, name)) continue;
    notes.push_back(fmt::format("the tree has no directory /{}", name));
  }
  if (::chroot(kTreePath) != 0 || ::chdir("/") != 0) fail_step("change the root directory");
  return notes;
}

void raise_loopback() {
  base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) fail_step("look at the loopback interface");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) fail_step("set the loopback interface up");
}

void hide_process() noexcept {
  constexpr std::size_t kArgumentsStart = 48;
  constexpr std::size_t kEnvironmentStart = 50;
  try {
    base::Fd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
    std::string text = file ? base::read_all(file.get()) : std::string{};
    std::size_t name_end = text.rfind(')');
    if (name_end != std::string::npos) {
      auto fields = base::split_words(std::string_view(text).substr(name_end + 1));
      overwrite_strings(fields, kArgumentsStart);
      overwrite_strings(fields, kEnvironmentStart);
      environ = nullptr;
    }
  } catch (const Error &) {
    // the kernel's refusal below still stands
  }
  ::prctl(PR_SET_NAME, "debroot-runner");
  ::prctl(PR_SET_DUMPABLE, 0);
  rlimit none{0, 0};
  // a core file of a crashing script would lie in the image
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace debroot::sandbox
