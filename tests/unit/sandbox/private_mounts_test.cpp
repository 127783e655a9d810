#include "sandbox/private_mounts.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

#include "namespace_fixture.hpp"

namespace debroot::sandbox {
namespace {

using test::As;

bool is_mount(const char *path) {
  struct statx info {};
  return ::statx(AT_FDCWD, path, 0, 0, &info) == 0 && (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

std::string working_directory() {
  std::array<char, PATH_MAX> path{};
  return ::getcwd(path.data(), path.size()) == nullptr ? std::strerror(errno) : path.data();
}

/// A directory with the few that a chroot needs for these tests.
std::string make_small_root() {
  std::string root = test::make_scratch();
  for (const char *name : {"/usr", "/tmp", "/usr/local"}) std::filesystem::create_directories(root + name);
  return root;
}

/// In a namespace of its own, after `make_mounts_private`: what `look` says. Its mounts must not be seen here.
std::string in_private_namespace(const std::function<std::string()> &look) {
  return test::run_as(As::root, [&]() -> std::string {
    if (::unshare(CLONE_NEWNS) != 0) return "no namespace";
    if (!make_mounts_private()) return std::string("refused: ") + std::strerror(errno);
    return look();
  });
}

class PrivateMounts : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason = test::reason_to_skip(As::root);
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(PrivateMounts, WorkInAChrootAndKeepEveryPath) {
  std::string root = make_small_root();
  std::string answer = test::run_as(As::root, [&]() -> std::string {
    if (::chroot(root.c_str()) != 0 || ::chdir("/usr/local") != 0) return "no chroot";
    std::string inside = in_private_namespace([]() -> std::string {
      if (!is_mount("/")) return "the root is no mount";
      if (::mount("tmpfs", "/tmp", "tmpfs", 0, "size=64k") != 0) return "cannot mount";
      if (!std::filesystem::exists("/usr/local") || std::filesystem::exists("/proc/self")) return "another root";
      return is_mount("/tmp") ? working_directory() : "not mounted";
    });
    return inside + (is_mount("/tmp") ? ", and shown to others" : "");
  });
  EXPECT_EQ(answer, "/usr/local");
  std::filesystem::remove_all(root);
}

/// pivot_root(2) in a new tmpfs, as scripts' namespaces do it. Its parent mount may not be a shared one.
bool may_pivot() {
  return ::mount("tmpfs", "/tmp", "tmpfs", 0, "size=64k") == 0 && ::chdir("/tmp") == 0 &&
         ::syscall(SYS_pivot_root, ".", ".") == 0;
}

TEST_F(PrivateMounts, WorkInAChrootThatIsAMountBelowASharedOne) {
  std::string root = make_small_root();
  for (const char *what : {"itself", "the whole system"}) {
    std::string answer = test::run_as(As::root, [&]() -> std::string {
      bool is_whole = std::string(what) == "the whole system";
      const char *source = is_whole ? "/" : root.c_str();
      bool is_prepared = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("/", "/", nullptr, MS_SHARED, nullptr) == 0 &&
                         ::mount(source, root.c_str(), nullptr, MS_BIND, nullptr) == 0;
      if (!is_prepared || ::chroot(root.c_str()) != 0 || ::chdir("/usr") != 0) return "no chroot";
      return in_private_namespace([]() -> std::string {
        std::string directory = working_directory();
        return may_pivot() ? directory : std::strerror(errno);
      });
    });
    EXPECT_EQ(answer, "/usr") << what;
  }
  std::filesystem::remove_all(root);
}

TEST_F(PrivateMounts, LetAChrootsRootMakeUserNamespaces) {
  std::string root = make_small_root();
  std::string answer = test::run_as(As::root, [&]() -> std::string {
    if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) return "no chroot";
    if (::unshare(CLONE_NEWUSER) == 0) return "a chroot may make user namespaces by itself";
    return in_private_namespace([] { return ::unshare(CLONE_NEWUSER) == 0 ? "may" : std::strerror(errno); });
  });
  EXPECT_EQ(answer, "may");
  std::filesystem::remove_all(root);
}

TEST_F(PrivateMounts, LeaveTheWorkingDirectoryOutsideOfAChroot) {
  std::string directory = working_directory();
  EXPECT_EQ(in_private_namespace([] { return working_directory(); }), directory);
}

}  // namespace
}  // namespace debroot::sandbox
