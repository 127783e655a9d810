#include "customize/hooks.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/text.hpp"
#include "customize/hook_mounts.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::customize {
namespace {

using Names = std::vector<std::string>;

Names arguments(const std::string &command, bool is_chrooted = false) {
  return hook_arguments({HookStage::customize, command, is_chrooted}, "/r");
}

TEST(Hooks, TheirTitleIsOneShortLine) {
  EXPECT_EQ(hook_title({HookStage::setup, "cp a b"}), "setup hook 'cp a b'");
  EXPECT_EQ(hook_title({HookStage::customize, "set -e\ncp a b"}), "customize hook 'set -e…'");
  std::string title = hook_title({HookStage::customize, std::string(99, 'x') + "äöü"});
  EXPECT_EQ(title, "customize hook '" + std::string(99, 'x') + "…'");
}

TEST(Hooks, WordsRunAsProgramsTheRestAsShell) {
  EXPECT_EQ(arguments("/usr/bin/touch"), (Names{"/usr/bin/touch", "/r"}));
  EXPECT_EQ(arguments("a-b_c@1%+=:,./d"), (Names{"a-b_c@1%+=:,./d", "/r"}));
  EXPECT_EQ(arguments("chroot \"$1\" true"), (Names{"sh", "-c", "chroot \"$1\" true", "exec", "/r"}));
  EXPECT_EQ(arguments("a;b")[0], "sh");
  EXPECT_EQ(arguments("/bin/true", true), (Names{"sh", "-c", "/bin/true"}));
  test::ScratchRoot scratch;
  scratch->write("/with blank", "#!/bin/sh\n", 0755);
  EXPECT_EQ(arguments(scratch.at("with blank")), (Names{scratch.at("with blank"), "/r"}));
}

TEST(Hooks, Titles) {
  EXPECT_EQ(hook_title({HookStage::setup, "a b", false}), "setup hook 'a b'");
  EXPECT_EQ(hook_title({HookStage::extract, "a", true}), "chrooted extract hook 'a'");
}

class RunHookTest : public ::testing::Test {
 protected:
  void run(const std::string &command, bool is_chrooted = false) {
    HookSettings settings;
    settings.environment = {"PATH=/usr/bin:/bin", "SETTING=value"};
    settings.on_output = [this](std::string_view line) { lines_.emplace_back(line); };
    runner_.run({HookStage::customize, command, is_chrooted}, settings);
  }
  std::string refusal(const std::string &command) {
    return test::thrown_by([&] {
      run(command);
      return 0;
    });
  }
  test::ScratchRoot root_;
  HookRunner runner_{*root_, root_.path()};
  Names lines_;
};

TEST_F(RunHookTest, GetsTheRootAndTheEnvironment) {
  run("echo \"$SETTING ${HOME-none}\"; echo made >\"$1/file\"; printf 'no end' >&2");
  EXPECT_EQ(lines_, (Names{"value none", "no end"}));
  EXPECT_EQ(root_->read("/file"), "made\n");
}

TEST_F(RunHookTest, FailureTellsHowAndWhatItWrote) {
  EXPECT_EQ(refusal("echo one; echo two >&2; exit 3"),
            "customize hook 'echo one; echo two >&2; exit 3' exited with status 3\n  output: one\n  output: two");
  EXPECT_EQ(refusal("kill -9 $$"), "customize hook 'kill -9 $$' was killed by signal 9");
  EXPECT_EQ(refusal("no-such-program-anywhere"),
            "cannot start the hook 'no-such-program-anywhere': no such file or directory");
}

TEST_F(RunHookTest, MayNotTakeTheRootAway) {
  EXPECT_EQ(refusal("mv \"$1\" \"$1.gone\"; mkdir \"$1\""),
            "customize hook 'mv \"$1\" \"$1.gone\"; mkdir \"$1\"' took the root away: '" + root_.path() +
                "' is not what it was");
  ASSERT_EQ(::rmdir((root_.path() + ".gone").c_str()), 0);
}

TEST_F(RunHookTest, ProcessesInTheBackgroundDoNotHoldTheBuildUp) {
  run("(sleep 0.2; echo late) & echo early");
  EXPECT_EQ(lines_, Names{"early"});
  runner_.finish(true);
  EXPECT_EQ(lines_, (Names{"early", "late"}));
  run("sleep 600 & echo $!");
  runner_.finish(false);
  EXPECT_NE(::kill(static_cast<pid_t>(base::parse_number(lines_.back()).value()), 0), 0);
}

TEST_F(RunHookTest, RunsChrooted) {
  if (::geteuid() != 0) GTEST_SKIP() << "chroot needs root";
  HookSettings settings;
  EXPECT_EQ(test::thrown_by([&] {
              runner_.run({HookStage::extract, "true", true}, settings);
              return 0;
            }),
            "cannot start the hook 'sh': no such file or directory");
}

TEST_F(RunHookTest, MountsStayForLaterOnes) {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "mounts need root";
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  for (const char *directory : {"/proc", "/sys", "/dev", "/mine"}) root_->make_directories(directory);
  {
    using Kind = DevicePlace::Kind;
    std::vector<DevicePlace> devices = {{"/dev/null", Kind::node, {}},
                                        {"/dev/pts", Kind::directory, {}},
                                        {"/dev/absent-here", Kind::node, {}},
                                        {"/dev/fd", Kind::link, "/proc/self/fd"}};
    base::RootDirectory own = base::RootDirectory::open(root_.path());  // the one before is of the other namespace
    HookMounts mounts(own, root_.path(), {{"chroot/mount/sys"}, devices, true});
    EXPECT_EQ(root_->list("/dev"), (Names{"fd", "null", "pts"}));
    run("touch \"$1/proc/sys/kernel/hostname\" 2>/dev/null || echo read-only");
    EXPECT_EQ(lines_, (Names{"read-only"}));
    lines_.clear();
    run("test -e \"$1/proc/self/status\" && test -c \"$1/dev/null\" && mount -t tmpfs none \"$1/mine\" && echo seen");
    EXPECT_EQ(lines_, (Names{"seen"}));
    EXPECT_TRUE(root_->list("/sys").empty());
  }
  for (const char *directory : {"/proc", "/dev"}) EXPECT_TRUE(root_->list(directory).empty()) << directory;
  run("mountpoint -q \"$1/mine\" && umount \"$1/mine\" && echo still");
  EXPECT_EQ(lines_.back(), "still");
}

TEST_F(RunHookTest, TheHostsResolverIsThereMeanwhile) {
  if (::access("/etc/resolv.conf", R_OK) != 0) GTEST_SKIP() << "this host has no resolv.conf";
  root_->make_directories("/etc");
  run("cmp /etc/resolv.conf \"$1/etc/resolv.conf\" && echo same");
  EXPECT_EQ(lines_, (Names{"same"}));
  EXPECT_TRUE(root_->list("/etc").empty());
  EXPECT_NE(refusal("exit 1"), "nothing was thrown");
  EXPECT_TRUE(root_->list("/etc").empty());
}

}  // namespace
}  // namespace debroot::customize
