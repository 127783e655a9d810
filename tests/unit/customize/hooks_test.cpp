#include "customize/hooks.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::customize {
namespace {

using Names = std::vector<std::string>;

TEST(Hooks, WordsRunAsProgramsTheRestAsShell) {
  EXPECT_EQ(hook_arguments("/usr/bin/touch", "/r"), (Names{"/usr/bin/touch", "/r"}));
  EXPECT_EQ(hook_arguments("a-b_c@1%+=:,./d", "/r"), (Names{"a-b_c@1%+=:,./d", "/r"}));
  EXPECT_EQ(hook_arguments("chroot \"$1\" true", "/r"), (Names{"sh", "-c", "chroot \"$1\" true", "exec", "/r"}));
  EXPECT_EQ(hook_arguments("a;b", "/r")[0], "sh");
  test::ScratchRoot scratch;
  scratch->write("/with blank", "#!/bin/sh\n", 0755);
  EXPECT_EQ(hook_arguments(scratch.at("with blank"), "/r"), (Names{scratch.at("with blank"), "/r"}));
}

TEST(Hooks, StageNames) {
  EXPECT_EQ(hook_stage_name(HookStage::setup), "setup");
  EXPECT_EQ(hook_stage_name(HookStage::extract), "extract");
  EXPECT_EQ(hook_stage_name(HookStage::essential), "essential");
  EXPECT_EQ(hook_stage_name(HookStage::customize), "customize");
}

class RunHookTest : public ::testing::Test {
 protected:
  void run(const std::string &command) {
    HookSettings settings{root_.path(), {"PATH=/usr/bin:/bin", "SETTING=value"}, {}};
    settings.on_output = [this](std::string_view line) { lines_.emplace_back(line); };
    run_hook(*root_, {HookStage::customize, command}, settings);
  }
  std::string refusal(const std::string &command) {
    return test::thrown_by([&] {
      run(command);
      return 0;
    });
  }
  test::ScratchRoot root_;
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
  EXPECT_EQ(refusal("kill -9 $$").substr(0, 52), "customize hook 'kill -9 $$' was killed by signal 9\n ");
  EXPECT_EQ(refusal("no-such-program-anywhere"),
            "cannot start the hook 'no-such-program-anywhere': no such file or directory");
}

TEST_F(RunHookTest, MountsStayWithTheHook) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
  for (const char *directory : {"/proc", "/sys", "/dev"}) root_->make_directories(directory);
  run("test -e \"$1/proc/self/status\" && test -c \"$1/dev/null\" && mount -t tmpfs none \"$1/sys\" && echo seen");
  EXPECT_EQ(lines_, (Names{"seen"}));
  for (const char *directory : {"/proc", "/sys", "/dev"}) EXPECT_TRUE(root_->list(directory).empty()) << directory;
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
