#include "sandbox/memory.hpp"

#include <gtest/gtest.h>

#include <map>

namespace debroot::sandbox {
namespace {

MemoryFacts facts_of(const std::map<std::string, std::string> &files) {
  return read_memory_facts([&](const std::string &path) -> std::optional<std::string> {
    auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(MemoryFacts, ReadsWhatTheKernelThinksIsAvailable) {
  MemoryFacts facts = facts_of({{"/proc/meminfo", "MemTotal:  900 kB\nMemAvailable:     500 kB\n"}});
  EXPECT_EQ(facts.available_bytes, 512000U);
  EXPECT_EQ(facts.cgroup_free_bytes, std::nullopt);
}

TEST(MemoryFacts, TakesTheTightestGroupOfVersion2) {
  MemoryFacts facts = facts_of({{"/proc/self/cgroup", "0::/user.slice/job\n"},
                                {"/sys/fs/cgroup/user.slice/job/memory.max", "max\n"},
                                {"/sys/fs/cgroup/user.slice/job/memory.current", "10\n"},
                                {"/sys/fs/cgroup/user.slice/memory.max", "1000\n"},
                                {"/sys/fs/cgroup/user.slice/memory.current", "700\n"},
                                {"/sys/fs/cgroup/user.slice/memory.stat", "anon 100\ninactive_file 200\n"},
                                {"/sys/fs/cgroup/memory.max", "5000\n"},
                                {"/sys/fs/cgroup/memory.current", "700\n"}});
  EXPECT_EQ(facts.cgroup_free_bytes, 500U);
}

TEST(MemoryFacts, ReadsVersion1BesideVersion2) {
  MemoryFacts facts = facts_of({{"/proc/self/cgroup", "4:cpu,memory:/job/7\n3:cpuset:/\n0::/\n"},
                                {"/sys/fs/cgroup/memory/job/7/memory.limit_in_bytes", "3000\n"},
                                {"/sys/fs/cgroup/memory/job/7/memory.usage_in_bytes", "3500\n"},
                                {"/sys/fs/cgroup/memory/job/7/memory.stat", "total_inactive_file 600\n"},
                                {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
                                {"/sys/fs/cgroup/memory/memory.usage_in_bytes", "1\n"}});
  EXPECT_EQ(facts.cgroup_free_bytes, 100U);
}

TEST(MemoryFacts, AFullGroupHasNothing) {
  MemoryFacts facts = facts_of({{"/proc/self/cgroup", "0::/\n"},
                                {"/sys/fs/cgroup/memory.max", "100\n"},
                                {"/sys/fs/cgroup/memory.current", "150\n"}});
  EXPECT_EQ(facts.cgroup_free_bytes, 0U);
}

TEST(MemoryFacts, OfThisMachineAreNotZero) { EXPECT_GT(read_memory_facts().available_bytes, 0U); }

}  // namespace
}  // namespace debroot::sandbox
