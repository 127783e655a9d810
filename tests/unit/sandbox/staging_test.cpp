#include "sandbox/staging.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "debroot/error.hpp"
#include "namespace_fixture.hpp"

namespace debroot::sandbox {
namespace {

constexpr std::uint64_t kGigabyte = 1'000'000'000;

class StagingDirectory : public ::testing::Test {
 protected:
  ~StagingDirectory() override { std::filesystem::remove_all(scratch_); }
  std::string scratch_ = test::make_scratch();
};

TEST(StagingChoice, TakesMemoryThatHoldsHalfAsMuchAgain) {
  StagingChoice choice = choose_staging({1 * kGigabyte, 30'000}, {4 * kGigabyte, std::nullopt});
  EXPECT_EQ(choice.kind, StagingKind::memory);
  EXPECT_EQ(choice.size_bytes, 4 * kGigabyte - 512'000'000);
  EXPECT_EQ(choice.inodes, 160'000U);
  EXPECT_EQ(choice.reason, "3.5 GB of memory can be used, 1.0 GB are needed");
}

TEST(StagingChoice, TakesTheDiskOtherwise) {
  EXPECT_EQ(choose_staging({1 * kGigabyte, 1}, {2 * kGigabyte, std::nullopt}).kind, StagingKind::disk);
  EXPECT_EQ(choose_staging({1 * kGigabyte, 1}, {64 * kGigabyte, 1 * kGigabyte}).kind, StagingKind::disk);
  EXPECT_EQ(choose_staging({1, 1}, {1000, std::nullopt}).kind, StagingKind::disk);
}

TEST(StagingFlags, RefuseNoexecAlwaysAndNodevWhereNodesAreUsed) {
  auto message = [](unsigned long flags, bool uses_nodes) -> std::string {
    try {
      check_staging_flags("/mnt/tmp", flags, uses_nodes);
      return "";
    } catch (const Error &error) {
      EXPECT_EQ(error.hint(), "TMPDIR=DIR with a directory on a file system without this option");
      return error.message();
    }
  };
  EXPECT_EQ(message(ST_NOEXEC, false), "cannot build on '/mnt/tmp': it is mounted noexec");
  EXPECT_EQ(message(ST_NODEV, true), "cannot build on '/mnt/tmp': it is mounted nodev");
  EXPECT_EQ(message(ST_NODEV, false), "");
  EXPECT_EQ(message(ST_NOSUID, true), "");
}

TEST(MountPoints, BelowAPathComeLastFirst) {
  std::string text =
      "22 1 0:1 / / rw - ext4 /dev/a rw\n"
      "23 22 0:2 / /tmp/debroot.abcdef rw shared:1 - tmpfs t rw\n"
      "24 23 0:3 / /tmp/debroot.abcdef/bin\\040fmt rw - binfmt_misc b rw\n"
      "25 22 0:4 / /tmp/debroot.abcdefg rw - tmpfs t rw\n";
  EXPECT_EQ(mount_points_below(text, "/tmp/debroot.abcdef"),
            (std::vector<std::string>{"/tmp/debroot.abcdef/bin fmt", "/tmp/debroot.abcdef"}));
}

TEST_F(StagingDirectory, IsPrivateAndGoesWithItsHandle) {
  std::string path;
  {
    Staging staging = Staging::create(scratch_);
    path = staging.path();
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700U);
    EXPECT_EQ(staging.root_path(), path + "/root");
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST_F(StagingDirectory, SaysWhatIsWrongWithTmpdir) {
  try {
    static_cast<void>(Staging::create(scratch_ + "/absent"));
    FAIL() << "made";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "cannot use '" + scratch_ + "/absent' for temporary files: no such file or directory");
    EXPECT_EQ(error.hint(), "TMPDIR=DIR with a directory on a disk");
  }
  try {
    static_cast<void>(Staging::create("/proc"));
    FAIL() << "made";
  } catch (const Error &error) {
    EXPECT_TRUE(error.message().starts_with("cannot make a directory in '/proc': ")) << error.message();
    EXPECT_EQ(error.hint(), "TMPDIR=DIR with a directory that you may write to");
  }
}

TEST_F(StagingDirectory, SweepRemovesOnlyWhatHasAFreeLock) {
  Staging kept = Staging::create(scratch_);
  std::filesystem::create_directories(scratch_ + "/debroot.stale1/root/usr/bin");
  std::ofstream(scratch_ + "/debroot.stale1/root/usr/bin/tool") << "x";
  std::filesystem::create_directories(scratch_ + "/debroot.other-name");
  std::filesystem::create_directories(scratch_ + "/mmdebstrap.rootstale2");
  std::filesystem::create_directories(scratch_ + "/mmdebstrap.rootfilled/with");
  std::filesystem::create_directories(scratch_ + "/mmdebstrap.itsown4321");
  std::filesystem::create_directories(scratch_ + "/elsewhere");
  std::filesystem::create_directory_symlink("elsewhere", scratch_ + "/debroot.linked");

  EXPECT_EQ(sweep_stale_stagings(scratch_, ::getuid() + 1), 0U);
  EXPECT_EQ(sweep_stale_stagings(scratch_, ::getuid()), 2U);
  EXPECT_FALSE(std::filesystem::exists(scratch_ + "/mmdebstrap.rootstale2"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ + "/mmdebstrap.rootfilled/with"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ + "/mmdebstrap.itsown4321"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ + "/debroot.stale1"));
  EXPECT_TRUE(std::filesystem::exists(kept.path()));
  EXPECT_TRUE(std::filesystem::exists(scratch_ + "/debroot.other-name"));
  EXPECT_TRUE(std::filesystem::exists(scratch_ + "/elsewhere"));
}

TEST_F(StagingDirectory, OnDiskHoldsAnEmptyRoot) {
  Staging staging = Staging::create(scratch_);
  StagingChoice disk;
  auto directory = prepare_staging(staging.path(), disk, false);
  EXPECT_EQ(directory.list("/"), (std::vector<std::string>{"root"}));
  EXPECT_EQ(directory.status("root")->st_mode & 07777, 0755U);
  directory.write("root/file", "x");
  remove_staging(staging.path());
  EXPECT_FALSE(std::filesystem::exists(staging.path()));
  remove_staging(staging.path());  // again: absence is fine
}

}  // namespace
}  // namespace debroot::sandbox
