/// How debroot gets its privileges, what it does where they are refused, and surroundings that must not matter.

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

namespace fs = std::filesystem;

void require(bool is_done, const char *what) {
  if (!is_done) throw base::os_error(ErrorKind::internal, errno, what);
}

/// Without the inheritable set, which some containers fill, the bounding set decides what root has after execve.
void forbid_mounts() {
  require(::prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) == 0, "drop a capability");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  require(::syscall(SYS_capget, &header, sets) == 0, "read capabilities");
  for (auto &set : sets) set.inheritable = 0;
  require(::syscall(SYS_capset, &header, sets) == 0, "clear inheritable capabilities");
}

/// A root directory with all of this system in it that is no mount, as a chroot(8) into a directory makes it.
void enter_chroot(const std::string &place) {
  require(::unshare(CLONE_NEWNS) == 0, "unshare");
  require(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make private");
  std::string root = place + "/root";
  fs::create_directory(root);
  for (const auto &entry : fs::directory_iterator("/")) {
    std::string copy = root + entry.path().string();
    if (entry.is_symlink()) {
      fs::create_symlink(fs::read_symlink(entry.path()), copy);
    } else if (entry.is_directory()) {
      fs::create_directory(copy);
      require(::mount(entry.path().c_str(), copy.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0, "bind");
    }
  }
  require(::chroot(root.c_str()) == 0, "chroot");
}

const std::vector<std::string> kSmall = {"-o", "x.tar", "--variant", "essential", "--include", "probe"};

struct Modes : World {
  void SetUp() override {
    World::SetUp();
    add(package("probe").script("postinst", "#!/bin/sh\necho words >/dev/null\nid -u >/result\n"));
  }
};

/// Root that is kept from something; the image is the same nevertheless.
struct RootKept : Modes {
  void SetUp() override {
    Modes::SetUp();
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  /// Where nothing can be mounted, the tree lies in the temporary directory itself, and needs device nodes there.
  [[nodiscard]] bool may_have_devices() {
    struct statvfs system {};
    return ::statvfs(scratch("").c_str(), &system) == 0 && (system.f_flag & ST_NODEV) == 0;
  }
  void expect_same_image(const std::function<void()> &in_the_child, const std::string &message) {
    std::string normal = image({"--variant", "essential", "--include", "probe"});
    Command line = build_command(here(), kSmall);
    std::erase(line.argv, "--quiet");
    line.in_the_child = in_the_child;
    Finished finished = finish(here(), line);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.err, testing::HasSubstr(message));
    EXPECT_EQ(bytes_of(here().out("x.tar")), normal);
  }
};

TEST_F(RootKept, FromMountsGoesOnWithoutThem) {
  if (!may_have_devices()) GTEST_SKIP() << "the temporary directory is mounted nodev";
  expect_same_image(
      forbid_mounts,
      "debroot: warning: cannot mount, so scripts see no /proc and /sys and are not kept from this system "
      "(make namespaces: operation not permitted)\n");
}

TEST_F(RootKept, InAChrootMountsAllTheSame) {
  std::string normal = image({"--variant", "essential", "--include", "probe"});
  for (const char *mode : {"root", "unshare"}) {
    fs::create_directory(scratch(mode));
    Command line = build_command(here(), kSmall);
    std::erase(line.argv, "--quiet");
    line.argv.insert(line.argv.end(), {"--mode", mode});
    line.in_the_child = [this, mode] { enter_chroot(scratch(mode)); };
    Finished finished = finish(here(), line);
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.err, testing::Not(testing::HasSubstr("cannot mount")));
    EXPECT_EQ(bytes_of(here().out("x.tar")), normal);
  }
}

TEST_F(RootKept, MountsAreNotTriedWhenToldSo) {
  if (!may_have_devices()) GTEST_SKIP() << "the temporary directory is mounted nodev";
  std::string normal = image({"--variant", "essential", "--include", "probe"});
  EXPECT_EQ(image({"--variant", "essential", "--include", "probe", "--skip", "check/canmount"}), normal);
}

TEST_F(RootKept, CannotRunForeignProgramsWithoutMounts) {
  Command line = build_command(here(), {"-o", "x.tar", "--variant", "custom", "--skip", "update", "--arch",
                                        architecture() == "arm64" ? "amd64" : "arm64"});
  if (::access("/proc/sys/fs/binfmt_misc/status", F_OK) == 0) GTEST_SKIP() << "this host has emulators registered";
  line.in_the_child = forbid_mounts;
  EXPECT_THAT(failure_of(here(), line), testing::HasSubstr("debroot: error: "));
}

struct ModesAs : WorldAs {};
DEBROOT_AS_BOTH(ModesAs);

TEST_P(ModesAs, AutoSaysWhyWhenAsked) {
  Command line = build_command(place(), {"-o", "x.tar", "--variant", "custom", "--include", "hello", "--verbose"});
  Finished finished = finish(place(), line);
  EXPECT_EQ(finished.status, 0);
  EXPECT_THAT(finished.err, testing::HasSubstr(GetParam() == As::root
                                                   ? "debroot: note: mode 'root', since the caller is root\n"
                                                   : "debroot: note: mode 'unshare', since the caller is not root\n"));
}

TEST_P(ModesAs, UnshareGivesTheSameImage) {
  std::string normal = image(place(), {"--variant", "essential"});
  EXPECT_EQ(image(place(), {"--variant", "essential", "--mode", "unshare"}), normal);
}

TEST_P(ModesAs, SurroundingsDoNotMatter) {
  std::string normal = image(place(), {"--variant", "essential"});
  auto expect_same = [&](const char *what, const std::function<void(Command &)> &change) {
    Command line = build_command(place(), {"-o", "x.tar", "--variant", "essential"});
    change(line);
    Finished finished = finish(place(), line);
    EXPECT_EQ(finished.status, 0) << what << ": " << finished.err;
    EXPECT_TRUE(bytes_of(place().out("x.tar")) == normal) << what;
  };
  expect_same("umask", [](Command &line) { line.in_the_child = [] { ::umask(077); }; });
  expect_same("no input", [](Command &line) { line.in_the_child = [] { ::close(0); }; });
  expect_same("no streams", [](Command &line) { line.in_the_child = [] { ::close_range(0, 2, 0); }; });
  expect_same("no HOME", [](Command &line) { line.environment.erase("HOME"); });
  for (const char *name : {"with blank", "with 'quote", "with \"two", "käse", "back\\slash", "new\nline"}) {
    std::string path = scratch(name);
    fs::create_directory(path);
    require(::chown(path.c_str(), place().account.uid, place().account.gid) == 0, "give away");
    expect_same(name, [&](Command &line) { line.environment["TMPDIR"] = path; });
    EXPECT_THAT(names_in(path), testing::IsEmpty()) << name;
  }
  fs::create_symlink(place().tmp(), scratch("link"));
  expect_same("a link", [&](Command &line) { line.environment["TMPDIR"] = scratch("link"); });
  ::chmod(place().out().c_str(), 0700);
  expect_same("a closed directory", [](Command &) {});
}

struct Chrootless : World {
  void SetUp() override {
    World::SetUp();
    if (!ordinary_account()) GTEST_SKIP() << "needs an ordinary account";
  }
  Place &user() { return place_of(*ordinary_account()); }
};

TEST_F(Chrootless, ScriptsAreToldWhereTheTreeIs) {
  add(package("probe")
          .file("usr/share/probe/data", "data\n")
          .script("preinst", "#!/bin/sh\necho \"$0 $1\" >\"$DPKG_ROOT/preinst\"\n")
          .script("postinst",
                  "#!/bin/sh\nset -e\ntest -e \"$DPKG_ROOT/usr/share/probe/data\"\n"
                  "printf '%s\\n' \"$0\" \"$DPKG_ROOT\" \"$DPKG_ADMINDIR\" \"$DPKG_FORCE\" \"$DPKG_MAINTSCRIPT_NAME\" "
                  "\"$(pwd)\" >\"$DPKG_ROOT/result\"\n"));
  Image tree = read_tar(image(user(), {"--mode", "chrootless", "--variant", "custom", "--include", "probe"}));
  std::string text = tree["/result"].content;
  std::string root = text.substr(0, text.find("/var/lib/dpkg/info/probe.postinst"));
  EXPECT_THAT(root, testing::StartsWith(user().tmp() + "/"));
  EXPECT_EQ(text, root + "/var/lib/dpkg/info/probe.postinst\n" + root + "\n" + root +
                      "/var/lib/dpkg\nsecurity-mac,downgrade,not-root,script-chrootless\npostinst\n/\n");
  EXPECT_EQ(tree["/preinst"].content, root + "/var/lib/dpkg/tmp.ci/preinst install\n");
  EXPECT_EQ(tree["/result"].uid, 0U) << "the caller's files are written as root's";
}

TEST_F(Chrootless, MakesTheTreeOfTheOtherModes) {
  const std::vector<std::string> kLine = {"--variant", "custom", "--include", "base-files,hello"};
  std::vector<std::string> line = kLine;
  line.insert(line.end(), {"--mode", "chrootless"});
  Image one = read_tar(image(user(), line));
  Image other = read_tar(image(user(), kLine));
  for (Image *tree : {&one, &other}) {
    // every owner is root there, apt's own account with it
    for (auto &[path, entry] : *tree) entry.uid = entry.gid = 0;
  }
  // only a dpkg of the root would need them
  for (const char *path : {"/etc/dpkg", "/etc/dpkg/dpkg.cfg.d", "/var/lib/dpkg/alternatives"}) {
    EXPECT_EQ(one.count(path), 0U) << path;
    EXPECT_EQ(other.erase(path), 1U) << path;
  }
  EXPECT_EQ(difference(listing(other), listing(one)), "");
}

TEST_F(Chrootless, NeedsNoSubordinateIds) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another account";
  Place &nobody = place_of({"nobody", 65534, 65534});
  Image tree = read_tar(image(nobody, {"--mode", "chrootless", "--variant", "custom", "--include", "hello"}));
  EXPECT_EQ(tree["/usr/share/hello/greeting"].content, "hello\n");
  EXPECT_EQ(tree["/usr/share/hello/greeting"].uid, 0U);
}

TEST_F(Chrootless, FailingScriptLeavesNothing) {
  add(package("broken").script("postinst", "#!/bin/sh\necho sorry\nexit 3\n"));
  EXPECT_EQ(failure(user(), {"-o", "x.tar", "--mode", "chrootless", "--variant", "custom", "--include", "broken"}),
            "debroot: error: postinst of 'broken_1.0_ARCH' exited with status 3\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: sorry\n");
}

TEST_F(Chrootless, RealRootIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(failure({"-o", "x.tar", "--mode", "chrootless", "--variant", "custom", "--include", "hello"}, 2),
            "debroot: error: mode 'chrootless' could damage this system: it runs maintainer scripts as root outside of "
            "the image\n"
            "  try: run it as an ordinary user, under fakeroot or inside a chroot; --skip=check/chrootless insists\n");
}

TEST_F(Modes, FakechrootIsNotOffered) {
  EXPECT_EQ(failure({"-o", "x.tar", "--mode", "fakechroot"}, 2),
            "debroot: error: mode 'fakechroot' of mmdebstrap is not offered: debroot needs no such wrapper\n"
            "  try: --mode=unshare makes the same image; where no user namespace is allowed, --mode=chrootless\n");
}

}  // namespace
}  // namespace debroot::e2e
