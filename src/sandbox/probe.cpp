#include "sandbox/probe.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <functional>

#include "base/subprocess.hpp"
#include "base/text.hpp"
#include "debroot/error.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/emulation.hpp"
#include "sandbox/id_map.hpp"
#include "sandbox/memory.hpp"
#include "sandbox/runner.hpp"
#include "sandbox/staging.hpp"

namespace debroot::sandbox {
namespace {

/// openat2 and the mount calls the sandbox is made of; mount_setattr is the youngest.
constexpr KernelVersion kOldestKernel{5, 12};
/// What an image of the variant important needs at work.
constexpr StagingNeed kUsualNeed{400'000'000, 20'000};

Finding from_error(std::string subject, const Error &error, FindingState state = FindingState::fail) {
  std::string text = error.message();
  for (const ErrorDetail &detail : error.details()) text += fmt::format("; {}: {}", detail.label, detail.value);
  return {std::move(subject), state, std::move(text), error.hint()};
}

Finding probe_kernel() {
  utsname names{};
  ::uname(&names);
  KernelVersion version = parse_kernel_version(names.release);
  Finding finding{"kernel", FindingState::ok, names.release, {}};
  if (version < kOldestKernel) {
    finding.state = FindingState::fail;
    finding.remedy = "a kernel of version 5.12 or newer is needed";
  } else if (version < kOwnBinfmtKernel) {
    finding.text += ", so foreign architectures need a registration on the host";
  }
  return finding;
}

Finding probe_ids() {
  constexpr const char *kSubject = "subordinate ids";
  try {
    IdMap map = caller_id_map();
    return {kSubject,
            FindingState::ok,
            fmt::format("{} user ids from {}, {} group ids from {}", map.users[0].count, map.users[0].outside,
                        map.groups[0].count, map.groups[0].outside),
            {}};
  } catch (const Error &error) {
    return from_error(kSubject, error);
  }
}

Finding probe_program(const std::string &name, std::string_view package) {
  if (auto path = base::find_program(name)) return {name, FindingState::ok, *path, {}};
  return {name, FindingState::fail, "not found", fmt::format("install it; on Debian: apt install {}", package)};
}

/// The answer of the trial builder: first line "ok", or "error" followed by message and notes.
std::string try_runner() {
  try {
    Runner runner = Runner::start({});
    std::string answer = "ok";
    for (const std::string &note : runner.notes()) answer += "\n" + note;
    return answer;
  } catch (const Error &error) {
    return "error\n" + error.message();
  }
}

void probe_namespaces(std::vector<Finding> &findings) {
  constexpr const char *kNamespaces = "namespaces";
  constexpr const char *kScripts = "isolation of scripts";
  try {
    auto handle = start_builder(choose_namespaces(false), [](base::Channel channel) {
      channel.send(try_runner());
      return 0;
    });
    auto message = handle.channel().receive();
    handle.wait();
    findings.push_back({kNamespaces, FindingState::ok, "user, mount, ipc and uts namespaces can be made", {}});
    if (::geteuid() == 0) findings.back().text = "mount, ipc and uts namespaces can be made";
    auto lines = base::split(message ? std::string_view(message->bytes) : std::string_view("error"), '\n');
    if (lines.size() == 1 && lines[0] == "ok") {
      findings.push_back({kScripts, FindingState::ok, "own /proc, /dev, /sys and network", {}});
      return;
    }
    FindingState state = lines[0] == "ok" ? FindingState::warn : FindingState::fail;
    for (std::string_view line : std::vector(lines.begin() + 1, lines.end())) {
      findings.push_back({kScripts, state, std::string(line), {}});
    }
    if (lines.size() == 1) findings.push_back({kScripts, state, "the process that runs scripts died", {}});
  } catch (const Error &error) {
    findings.push_back(from_error(kNamespaces, error));
  }
}

Finding probe_memory() {
  StagingChoice choice = choose_staging(kUsualNeed, read_memory_facts());
  bool is_memory = choice.kind == StagingKind::memory;
  return {"memory for the tree",
          is_memory ? FindingState::ok : FindingState::warn,
          choice.reason + (is_memory ? "" : ": builds use the disk"),
          {}};
}

Finding probe_temporary(const std::string &directory) {
  constexpr const char *kSubject = "temporary directory";
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0 || ::access(directory.c_str(), W_OK | X_OK) != 0) {
    return {kSubject, FindingState::fail, fmt::format("'{}' cannot be written to", directory),
            "TMPDIR=DIR with a directory that you may write to"};
  }
  try {
    check_staging_flags(directory, info.f_flag, false);
  } catch (const Error &error) {
    // only builds that do not fit into memory meet it
    return from_error(kSubject, error, FindingState::warn);
  }
  std::uint64_t free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize;
  return {kSubject, FindingState::ok, fmt::format("{}, {} free", directory, base::human_bytes(free_bytes)), {}};
}

Finding probe_emulator(const std::string &architecture) {
  std::string subject = "programs of " + architecture;
  try {
    Emulation emulation = find_emulation(architecture);
    switch (emulation.kind) {
      case EmulationKind::native:
        return {subject, FindingState::ok, "run natively", {}};
      case EmulationKind::own_registration:
        return {subject, FindingState::ok, fmt::format("by {}, registered for each build", emulation.interpreter), {}};
      case EmulationKind::host_registration:
        return {subject, FindingState::ok, fmt::format("by {}, registered on this host", emulation.interpreter), {}};
    }
  } catch (const Error &error) {
    return from_error(subject, error, FindingState::warn);
  }
  return {subject, FindingState::warn, "unknown", {}};
}

}  // namespace

std::vector<Finding> probe_host(const std::string &temporary_directory, const std::vector<std::string> &architectures) {
  std::vector<Finding> findings{probe_kernel()};
  if (::geteuid() != 0) {
    findings.push_back(probe_ids());
    findings.push_back(probe_program("newuidmap", "uidmap"));
    findings.push_back(probe_program("newgidmap", "uidmap"));
  }
  probe_namespaces(findings);
  findings.push_back(probe_memory());
  findings.push_back(probe_temporary(temporary_directory));
  findings.push_back(probe_program("gpg", "gpg"));
  for (const std::string &architecture : architectures) findings.push_back(probe_emulator(architecture));
  return findings;
}

}  // namespace debroot::sandbox
