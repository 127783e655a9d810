#include "sandbox/launch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/fd.hpp"
#include "debian/architecture.hpp"
#include "namespace_fixture.hpp"
#include "sandbox/elf.hpp"
#include "sandbox/emulation.hpp"
#include "sandbox/quiet_sync.hpp"

namespace debroot::sandbox {
namespace {

class Launch : public ::testing::Test {
 protected:
  ~Launch() override { std::filesystem::remove_all(scratch_); }

  std::string file(const std::string &name, const std::string &content) {
    std::string path = scratch_ + "/" + name;
    base::write_all(base::open_file(path, O_WRONLY | O_CREAT, 0755).get(), content);
    return path;
  }

  /// Output of the program, then how it could not be started, if so.
  std::string run(const std::vector<std::string> &argv, const std::vector<std::string> &environment = {},
                  const std::string &directory = "/") {
    auto [read_end, write_end] = base::make_pipe();
    base::Fd null = base::open_file("/dev/null", O_RDONLY);
    Launched launched = launcher_.launch({argv, environment, directory, null.get(), write_end.get(), -1, false});
    write_end.reset();
    std::string output = base::read_all(read_end.get());
    if (launched.pid < 0) return output + describe(launched.failure);
    ::waitpid(launched.pid, &status_, 0);
    return output;
  }

  std::string scratch_ = test::make_scratch();
  Launcher launcher_;
  int status_ = 0;
};

TEST_F(Launch, GivesBothStreamsTheEnvironmentAndTheDirectory) {
  EXPECT_EQ(run({"/bin/sh", "-c", "echo out; echo err >&2; echo $NAME; pwd; exit 7"}, {"NAME=value"}, "/usr"),
            "out\nerr\nvalue\n/usr\n");
  EXPECT_EQ(WEXITSTATUS(status_), 7);
}

TEST_F(Launch, LeadsANewSessionWithDefaultSignals) {
  ::signal(SIGPIPE, SIG_DFL);
  // the shell itself blocks signals while it starts a program, so that one has to take its place
  EXPECT_EQ(
      run({"/bin/sh", "-c",
           "test \"$(cut -d' ' -f5,6 /proc/$$/stat)\" = \"$$ $$\" && exec grep -E '^Sig(Blk|Ign)' /proc/self/status"},
          {"PATH=/usr/bin:/bin"}),
      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(Launch, LooksProgramsUpInThePathItGives) {
  file("tool", "#!/bin/sh\necho found\n");
  std::filesystem::create_directory(scratch_ + "/dir");
  std::filesystem::create_directory(scratch_ + "/dir/tool");
  EXPECT_EQ(run({"tool"}, {"PATH=" + scratch_ + "/dir:" + scratch_}), "found\n");
  EXPECT_EQ(resolve_program("tool", {"PATH=/nowhere"}), "tool");
  EXPECT_EQ(resolve_program("./tool", {"PATH=" + scratch_}), "./tool");
}

TEST_F(Launch, GivesScriptsWithoutInterpreterLineToTheShell) {
  EXPECT_EQ(run({file("script", "echo $0 $1\n"), "argument"}), scratch_ + "/script argument\n");
}

TEST_F(Launch, SaysWhyNothingStarted) {
  EXPECT_EQ(run({scratch_ + "/absent"}), "could not be started: no such file or directory");
  EXPECT_EQ(run({file("script", "#!/no/such/interpreter\n")}), "could not be started: its interpreter is not there");
  EXPECT_EQ(run({"/bin/true"}, {}, "/no/such"),
            "could not be started: entering its working directory: no such file or directory");
  EXPECT_EQ(run({scratch_}), "could not be started: permission denied");
}

TEST_F(Launch, DoesNotGiveForeignProgramsToTheShell) {
  std::string_view foreign = debian::host_architecture() == "s390x" ? "riscv64" : "s390x";
  if (try_program(foreign, 42)) GTEST_SKIP() << foreign << " programs run here";
  EXPECT_EQ(run({file("program", *counting_program(foreign))}), "could not be started: exec format error");
}

TEST(Describe, SaysHowAProgramEnded) {
  EXPECT_EQ(describe({2, 0, LaunchStep::none, 0, false}), "exited with status 2");
  EXPECT_EQ(describe({0, SIGSEGV, LaunchStep::none, 0, false}), "was killed by signal 11 (segmentation fault)");
  EXPECT_EQ(describe({0, 0, LaunchStep::execute, ENOEXEC, false}), "could not be started: exec format error");
  EXPECT_EQ(describe({0, 0, LaunchStep::mount_namespace, EPERM, false}),
            "could not be started: entering its mount namespace: operation not permitted");
  EXPECT_EQ(describe({0, 0, LaunchStep::standard_streams, EBADF, false}),
            "could not be started: setting its standard streams: bad file descriptor");
  EXPECT_FALSE((RunResult{0, SIGSEGV, LaunchStep::none, 0, false}).is_success());
  EXPECT_TRUE(RunResult{}.is_success());
}

TEST(QuietSync, MakesFsyncSucceedOnWhatCannotBeSynced) {
  std::string answer = test::run_as(::geteuid() == 0 ? test::As::root : test::As::user, []() -> std::string {
    auto [read_end, write_end] = base::make_pipe();
    if (::fsync(write_end.get()) == 0) return "a pipe can be synced";
    if (!install_quiet_sync()) return "refused";
    return ::fsync(write_end.get()) == 0 && ::fdatasync(write_end.get()) == 0 ? "quiet" : "loud";
  });
  if (answer == "refused") GTEST_SKIP() << "this process may not install a seccomp filter";
  EXPECT_EQ(answer, "quiet");
}

}  // namespace
}  // namespace debroot::sandbox
