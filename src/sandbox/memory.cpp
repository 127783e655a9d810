#include "sandbox/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::sandbox {
namespace {

/// Version 1 has no word for "no limit": it shows a number near 2^63.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;

/// File names that differ between the two versions of control groups.
struct CgroupFiles {
  std::string_view limit;
  std::string_view usage;
  std::string_view droppable;  ///< the field of memory.stat that counts file cache not used lately
};
constexpr CgroupFiles kVersion2{"memory.max", "memory.current", "inactive_file"};
constexpr CgroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};

/// The number behind `name` in lines of "name number …" or "name: number kB".
std::optional<std::uint64_t> find_field(std::string_view text, std::string_view name) {
  for (std::string_view line : base::split(text, '\n')) {
    auto words = base::split_words(line, " \t:");
    if (words.size() >= 2 && words[0] == name) return base::parse_number(words[1]);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_number(const FileReader &read, const std::string &path) {
  auto text = read(path);
  return text ? base::parse_number(base::trim(*text)) : std::nullopt;
}

/// What one group leaves; nothing when it has no limit.
std::optional<std::uint64_t> free_in_group(const FileReader &read, const std::string &directory,
                                           const CgroupFiles &files) {
  auto limit = read_number(read, directory + "/" + std::string(files.limit));
  auto usage = read_number(read, directory + "/" + std::string(files.usage));
  if (!limit || !usage || *limit >= kUnlimited) return std::nullopt;
  auto stat = read(directory + "/memory.stat");
  std::uint64_t droppable = stat ? find_field(*stat, files.droppable).value_or(0) : 0;
  std::uint64_t used = *usage - std::min(*usage, droppable);
  return *limit - std::min(*limit, used);
}

void tighten(std::optional<std::uint64_t> &least, std::optional<std::uint64_t> rest) {
  if (rest) least = std::min(least.value_or(*rest), *rest);
}

/// The tightest of the group at `path` below `mount_point` and all above it.
std::optional<std::uint64_t> free_along(const FileReader &read, const std::string &mount_point, std::string path,
                                        const CgroupFiles &files) {
  std::optional<std::uint64_t> least;
  while (true) {
    while (!path.empty() && path.back() == '/') path.pop_back();
    tighten(least, free_in_group(read, mount_point + path, files));
    if (path.empty()) return least;
    path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

bool lists_memory(std::string_view controllers) {
  auto names = base::split(controllers, ',');
  return std::find(names.begin(), names.end(), "memory") != names.end();
}

}  // namespace

MemoryFacts read_memory_facts(const FileReader &read) {
  MemoryFacts facts;
  if (auto meminfo = read("/proc/meminfo")) {
    facts.available_bytes = find_field(*meminfo, "MemAvailable").value_or(0) * 1024;
  }
  auto groups = read("/proc/self/cgroup");
  if (!groups) return facts;
  for (std::string_view line : base::split(*groups, '\n')) {
    std::size_t first = line.find(':');
    std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string path(line.substr(second + 1));
    if (controllers.empty()) {
      tighten(facts.cgroup_free_bytes, free_along(read, "/sys/fs/cgroup", path, kVersion2));
    } else if (lists_memory(controllers)) {
      tighten(facts.cgroup_free_bytes, free_along(read, "/sys/fs/cgroup/memory", path, kVersion1));
    }
  }
  return facts;
}

MemoryFacts read_memory_facts() {
  return read_memory_facts([](const std::string &path) -> std::optional<std::string> {
    if (::access(path.c_str(), R_OK) != 0) return std::nullopt;
    try {
      return base::read_file(path);
    } catch (const Error &) {
      return std::nullopt;
    }
  });
}

}  // namespace debroot::sandbox
