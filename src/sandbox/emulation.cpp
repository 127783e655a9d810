#include "sandbox/emulation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/fd.hpp"
#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "debian/architecture.hpp"
#include "debroot/error.hpp"
#include "sandbox/elf.hpp"

namespace debroot::sandbox {
namespace {

/// An argument count that no emulator exits with by itself when it fails.
constexpr unsigned kTrialArguments = 42;
constexpr const char *kHostBinfmt = "/proc/sys/fs/binfmt_misc";

std::string qemu_name(std::string_view architecture) {
  auto info = debian::find_architecture(architecture);
  if (!info) throw Error(ErrorKind::usage, fmt::format("unknown architecture '{}'", architecture));
  return std::string(info->qemu);
}

std::string read_head(const std::string &path) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string head(4096, '\0');
  ssize_t got = fd ? ::read(fd.get(), head.data(), head.size()) : 0;
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return head;
}

void find_emulators(std::string_view architecture, const std::string &qemu, EmulationFacts &facts) {
  // qemu-x86_64 refuses x32 programs
  if (architecture == "x32") return;
  for (const std::string &name : {"qemu-" + qemu + "-static", "qemu-" + qemu}) {
    auto path = base::find_program(name);
    if (!path) continue;
    bool is_static = is_static_program(read_head(*path));
    if (is_static && !facts.emulator) facts.emulator = *path;
    if (!is_static && !facts.dynamic_emulator) facts.dynamic_emulator = *path;
  }
}

std::optional<std::string> read_handler(const std::string &qemu) {
  std::string path = fmt::format("{}/qemu-{}", kHostBinfmt, qemu);
  if (::access(path.c_str(), R_OK) != 0) return std::nullopt;
  return base::read_file(path);
}

/// The value of a line "NAME VALUE" or "NAME: VALUE".
std::string_view handler_field(std::string_view text, std::string_view name) noexcept {
  for (std::string_view line : base::split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (line.starts_with(':')) line.remove_prefix(1);
    if (line.starts_with(' ')) return base::trim(line);
  }
  return {};
}

/// The kernel reads \xHH; every byte is written so, since a line cannot hold NUL or the separator.
std::string escaped(std::string_view bytes) {
  std::string out;
  for (char byte : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return out;
}

/// One write makes or changes an entry of binfmt_misc; returns errno, or 0.
int write_entry(const std::string &path, std::string_view text) noexcept {
  base::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return errno;
  return ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : errno;
}

void register_with(const Emulation &emulation, const std::string &mount_point, std::string_view flags) {
  std::string name = "debroot-" + emulation.architecture;
  int cause = write_entry(mount_point + "/register",
                          registration_line(name, emulation.architecture, emulation.interpreter, flags));
  if (cause == 0) return;
  throw base::os_error(
      ErrorKind::sandbox, cause,
      fmt::format("cannot register '{}' for {} programs", emulation.interpreter, emulation.architecture));
}

void unregister(const Emulation &emulation, const std::string &mount_point) {
  write_entry(mount_point + "/debroot-" + emulation.architecture, "-1");
}

Error cannot_run(std::string_view architecture) {
  return {ErrorKind::sandbox, fmt::format("programs of architecture '{}' cannot be run here", architecture)};
}

Error no_emulator(std::string_view architecture, const EmulationFacts &facts) {
  Error error = cannot_run(architecture);
  if (architecture == "x32") {
    return std::move(error.detail("got", "a kernel without x32, which no emulator knows")
                         .hint("start the kernel with the parameter syscall.x32=y"));
  }
  if (facts.dynamic_emulator) {
    error.detail("got",
                 fmt::format("{}, which is linked to libraries that the image does not have", *facts.dynamic_emulator));
  }
  error.detail("expected", fmt::format("a static emulator qemu-{0}-static or qemu-{0}", qemu_name(architecture)));
  error.hint("install it; on Debian 12 and older: apt install qemu-user-static; on newer: apt install qemu-user");
  return error;
}

}  // namespace

KernelVersion parse_kernel_version(std::string_view release) noexcept {
  KernelVersion version;
  std::size_t dot = release.find('.');
  if (dot == std::string_view::npos) return version;
  std::size_t end = release.find_first_not_of("0123456789", dot + 1);
  auto major = base::parse_number(release.substr(0, dot));
  auto minor = base::parse_number(release.substr(dot + 1, end == std::string_view::npos ? end : end - dot - 1));
  if (!major || !minor) return version;
  return {static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

KernelVersion running_kernel_version() noexcept {
  utsname names{};
  return ::uname(&names) == 0 ? parse_kernel_version(names.release) : KernelVersion{};
}

bool is_usable_handler(std::string_view handler_text) noexcept {
  bool is_enabled = base::trim(handler_text.substr(0, handler_text.find('\n'))) == "enabled";
  return is_enabled && handler_field(handler_text, "flags").find('F') != std::string_view::npos;
}

Emulation choose_emulation(std::string_view architecture, const EmulationFacts &facts) {
  Emulation emulation{std::string(architecture), EmulationKind::native, {}};
  if (facts.runs_natively) return emulation;
  if (facts.kernel >= kOwnBinfmtKernel && facts.emulator && elf_identity(architecture)) {
    emulation.kind = EmulationKind::own_registration;
    emulation.interpreter = *facts.emulator;
    return emulation;
  }
  if (facts.host_handler && is_usable_handler(*facts.host_handler)) {
    emulation.kind = EmulationKind::host_registration;
    emulation.interpreter = handler_field(*facts.host_handler, "interpreter");
    return emulation;
  }
  if (!facts.emulator) throw no_emulator(architecture, facts);
  Error error = cannot_run(architecture);
  error.detail("got", facts.host_handler ? "a registration that is disabled or lacks the flag F"
                                         : fmt::format("{}, which is not registered on this host", *facts.emulator));
  error.detail("expected", "a registration with the flag F, as a kernel before 6.7 needs it");
  error.hint("as root: apt install binfmt-support qemu-user-static, or: systemctl restart systemd-binfmt");
  throw std::move(error);
}

EmulationFacts read_emulation_facts(std::string_view architecture) {
  std::string qemu = qemu_name(architecture);
  EmulationFacts facts;
  facts.kernel = running_kernel_version();
  facts.host_handler = read_handler(qemu);
  bool has_handler = facts.host_handler && is_usable_handler(*facts.host_handler);
  // with a handler on the host a trial would succeed by emulation
  facts.runs_natively = architecture == debian::host_architecture() ||
                        (!has_handler && try_program(architecture, kTrialArguments) == int{kTrialArguments});
  if (!facts.runs_natively) find_emulators(architecture, qemu, facts);
  return facts;
}

Emulation find_emulation(std::string_view architecture) {
  return choose_emulation(architecture, read_emulation_facts(architecture));
}

std::string registration_line(std::string_view name, std::string_view architecture, std::string_view interpreter,
                              std::string_view flags) {
  auto identity = elf_identity(architecture);
  if (!identity) throw Error(ErrorKind::internal, fmt::format("no ELF identity for '{}'", architecture));
  MagicAndMask bytes = magic_of(*identity);
  return fmt::format(":{}:M::{}:{}:{}:{}", name, escaped(bytes.magic), escaped(bytes.mask), interpreter, flags);
}

void register_emulator(const Emulation &emulation, const std::string &mount_point) {
  if (::mount("binfmt_misc", mount_point.c_str(), "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    throw base::os_error(ErrorKind::sandbox, errno, "cannot mount a binfmt_misc of one's own");
  }
  // F: opened here and now, so it need not exist in the tree; P: argv[0] as given, which qemu knows since 6.0
  register_with(emulation, mount_point, "FP");
  auto count = try_program(emulation.architecture, kTrialArguments);
  if (count == int{kTrialArguments} + 1) {
    unregister(emulation, mount_point);
    register_with(emulation, mount_point, "F");
    count = try_program(emulation.architecture, kTrialArguments);
  }
  if (count == int{kTrialArguments} || !counting_program(emulation.architecture)) return;
  throw Error(ErrorKind::sandbox,
              fmt::format("'{}' does not run {} programs", emulation.interpreter, emulation.architecture))
      .detail("got", count ? fmt::format("exit status {}", *count) : "a refusal to execute")
      .detail("expected", fmt::format("exit status {}", kTrialArguments));
}

std::optional<int> try_program(std::string_view architecture, unsigned arguments) {
  auto program = counting_program(architecture);
  if (!program) return std::nullopt;
  // not close-on-exec: an emulator opens the program by its name, /proc/self/fd/N
  base::Fd file(::memfd_create("debroot-trial", 0));
  if (!file) return std::nullopt;
  base::write_all(file.get(), *program);
  std::string path = fmt::format("/proc/self/fd/{}", file.get());
  std::string word = "x";
  std::vector<char *> argv(arguments, word.data());
  argv.push_back(nullptr);
  std::array<char *, 1> environment{nullptr};
  constexpr int kNotExecuted = 126;
  pid_t pid = ::fork();
  if (pid == 0) {
    // an emulator that complains does not do so on the user's terminal
    int null = ::open("/dev/null", O_RDWR);
    for (int number : {0, 1, 2}) ::dup2(null, number);
    ::execve(path.c_str(), argv.data(), environment.data());
    ::_exit(kNotExecuted);
  }
  int status = 0;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == kNotExecuted) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace debroot::sandbox
