#include "build/state_keeping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::build {
namespace {

constexpr std::int64_t kEpoch = 1'600'000'000;

/// A file without a name.
base::Fd temporary() {
  std::string path = "/tmp/debroot-state-XXXXXX";
  base::Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  ::unlink(path.c_str());
  return fd;
}

void set_time(const base::RootDirectory &root, const char *path, std::int64_t seconds, long nanoseconds = 0) {
  timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  ::futimens(root.open_file(path, O_RDONLY).get(), times);
}

std::pair<std::int64_t, long> time_of(const base::RootDirectory &root, const char *path) {
  struct stat info = root.status(path).value();
  return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

struct StateKeeping : ::testing::Test {
  StateKeeping() {
    fill(from_);
    set_time(*from_, "/etc", kEpoch - 9);
  }
  static void fill(const test::ScratchRoot &scratch, const std::string &machine_id = std::string(32, 'a') + "\n") {
    const base::RootDirectory &root = *scratch;
    root.make_directories("/etc");
    root.make_directories("/var/log");
    root.write("/etc/old", "old\n");
    set_time(root, "/etc/old", kEpoch - 5);
    root.write("/etc/new", "new\n");
    root.write("/etc/machine-id", machine_id);
    root.write("/var/log/alternatives.log", "some time\n", 0600);
    set_time(root, "/var/log/alternatives.log", kEpoch + 4, 40);
    set_time(root, "/etc/new", kEpoch + 7, 70);
  }
  test::ScratchRoot from_;
};

TEST_F(StateKeeping, GivesBackAllThatAHookCanSee) {
  base::Fd file = temporary();
  cache::StateParts parts = observe_state(*from_, kEpoch, base::KnownFiles(), file.get());
  test::ScratchRoot to;
  pack::PackCount count = restore_state(*to, file.get(), parts, 2);
  EXPECT_EQ(count.entries, 8U);
  const base::RootDirectory &root = *to;
  EXPECT_EQ(root.read("/etc/old"), "old\n");
  EXPECT_EQ(root.read("/etc/new"), "new\n");
  EXPECT_EQ(root.read("/var/log/alternatives.log"), "some time\n");
  EXPECT_EQ(root.status("/var/log/alternatives.log")->st_mode & 07777, 0600U);
  EXPECT_EQ(time_of(root, "/etc/old"), std::pair(kEpoch - 5, 0L));
  EXPECT_EQ(time_of(root, "/etc/new"), std::pair(kEpoch + 7, 70L));
  EXPECT_EQ(time_of(root, "/var/log/alternatives.log"), std::pair(kEpoch + 4, 40L));
  EXPECT_EQ(time_of(root, "/etc"), time_of(*from_, "/etc"));
  EXPECT_EQ(observe_state(root, kEpoch, base::KnownFiles(), -1).likeness, parts.likeness);
}

TEST_F(StateKeeping, DrawsAnotherMachineId) {
  base::Fd file = temporary();
  cache::StateParts parts = observe_state(*from_, kEpoch, base::KnownFiles(), file.get());
  test::ScratchRoot to;
  restore_state(*to, file.get(), parts, 1);
  std::string id = (*to).read("/etc/machine-id");
  EXPECT_NE(id, (*from_).read("/etc/machine-id"));
  EXPECT_THAT(id, ::testing::MatchesRegex("[0-9a-f]{32}\n"));
}

TEST_F(StateKeeping, DrawsNoMachineIdWhereThereIsNone) {
  test::ScratchRoot without;
  fill(without, "");
  base::Fd file = temporary();
  cache::StateParts parts = observe_state(*without, kEpoch, base::KnownFiles(), file.get());
  test::ScratchRoot to;
  restore_state(*to, file.get(), parts, 1);
  EXPECT_EQ((*to).read("/etc/machine-id"), "");
}

TEST_F(StateKeeping, HasTheSameDigestForWhatShowsInNoImage) {
  std::string digest = observe_state(*from_, kEpoch, base::KnownFiles(), -1).likeness;
  base::Fd file = temporary();
  EXPECT_EQ(observe_state(*from_, kEpoch, base::KnownFiles(), file.get()).likeness, digest) << "written or not";
  const base::RootDirectory &root = *from_;
  root.write("/etc/machine-id", std::string(32, 'b') + "\n");
  root.write("/var/log/alternatives.log", "another time\n", 0600);
  set_time(root, "/etc/new", kEpoch + 100);
  EXPECT_EQ(observe_state(root, kEpoch, base::KnownFiles(), -1).likeness, digest);
  root.write("/etc/new", "newer\n");
  EXPECT_NE(observe_state(root, kEpoch, base::KnownFiles(), -1).likeness, digest);
}

TEST_F(StateKeeping, TakesWhatPackagesSayForRead) {
  const base::RootDirectory &root = *from_;
  base::KnownFiles unpacked;
  unpacked.note(root.status("/etc/old").value());
  std::string likeness = observe_state(root, kEpoch, unpacked, -1).likeness;
  base::Fd file = temporary();
  cache::StateParts parts = observe_state(root, kEpoch, unpacked, file.get());
  EXPECT_EQ(parts.likeness, likeness) << "written or not";
  std::string written = base::read_file(fmt::format("/proc/self/fd/{}", file.get()));
  EXPECT_EQ(parts.tar_digest, base::hash_of(base::HashKind::sha256, written.substr(0, parts.tar_bytes)));
  root.write("/etc/old", "odd\n");
  std::string changed = observe_state(root, kEpoch, unpacked, -1).likeness;
  EXPECT_NE(changed, likeness);
  root.write("/etc/old", "ode\n");
  EXPECT_NE(observe_state(root, kEpoch, unpacked, -1).likeness, changed) << "content decides once it was written";
}

TEST_F(StateKeeping, RefusesADamagedFile) {
  base::Fd file = temporary();
  cache::StateParts parts = observe_state(*from_, kEpoch, base::KnownFiles(), file.get());
  auto refusal = [&] {
    test::ScratchRoot to;
    ErrorKind kind{};
    std::string text = test::thrown_by([&] { return restore_state(*to, file.get(), parts, 1); }, &kind);
    EXPECT_EQ(kind, ErrorKind::trust);
    return text;
  };
  auto damage = [&](std::uint64_t at) {
    char byte = 0;
    ASSERT_EQ(::pread(file.get(), &byte, 1, static_cast<off_t>(at)), 1);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(file.get(), &byte, 1, static_cast<off_t>(at)), 1);
  };
  for (std::uint64_t at : {std::uint64_t{3}, std::uint64_t{600}, parts.tar_bytes - 1, parts.tar_bytes}) {
    damage(at);
    EXPECT_EQ(refusal(), "it is damaged") << at;
    damage(at);
  }
  ASSERT_EQ(::ftruncate(file.get(), 1000), 0);
  EXPECT_EQ(refusal(), "it is damaged");
}

}  // namespace
}  // namespace debroot::build
