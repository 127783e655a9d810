/// How much memory a tmpfs may take here: what the machine has free and what its control groups allow.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace debroot::sandbox {

/// Memory that can be used without pushing anything else out, in bytes.
struct MemoryFacts {
  std::uint64_t available_bytes = 0;               ///< MemAvailable of /proc/meminfo
  std::optional<std::uint64_t> cgroup_free_bytes;  ///< the tightest control group's rest; nothing: no limit
};

/// Reads a small file; nothing when it is not there. Tests give a map in place of the host's files.
using FileReader = std::function<std::optional<std::string>(const std::string &path)>;

/// The facts as `read` shows them: /proc/meminfo, /proc/self/cgroup, and below /sys/fs/cgroup the files memory.max,
/// memory.current and memory.stat (version 2) or memory.limit_in_bytes, memory.usage_in_bytes and memory.stat
/// (version 1) of this process's group and every group above it. File cache that can be dropped counts as free.
[[nodiscard]] MemoryFacts read_memory_facts(const FileReader &read);

/// The same of this machine.
[[nodiscard]] MemoryFacts read_memory_facts();

}  // namespace debroot::sandbox
