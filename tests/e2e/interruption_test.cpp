/// Builds that do not come to their end: interrupted, killed, without room, without a reader. Nothing may stay.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

constexpr const char *kSleep = "#!/bin/sh\necho asleep\nsleep 600\n";

struct Interruption : WorldAs {
  /// A build whose postinst sleeps; returns when it does.
  std::unique_ptr<Process> start_sleeping(const std::vector<std::string> &more = {}) {
    add(package("sleepy").script("postinst", kSleep));
    std::vector<std::string> arguments = {"-o", "x.tar", "--variant", "essential", "--include", "sleepy", "--verbose"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto process = std::make_unique<Process>(build_command(place(), arguments));
    EXPECT_TRUE(wait_until([&] { return process->err_so_far().find("asleep") != std::string::npos; }, 20'000))
        << process->err_so_far();
    return process;
  }
  [[nodiscard]] bool has_no_process_soon() {
    return wait_until([&] { return left_processes().empty(); }, 2'000);
  }
};
DEBROOT_AS_BOTH(Interruption);

TEST_P(Interruption, CtrlCEndsASleepingScript) {
  auto process = start_sleeping();
  process->signal(SIGINT);
  Finished finished = process->wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_THAT(finished.err, testing::EndsWith("debroot: error: the build was interrupted\n"));
  expect_nothing_left(place());
}

TEST_P(Interruption, CtrlCOfATerminalReachesEveryProcess) {
  auto process = start_sleeping();
  ::kill(-process->pid(), SIGINT);
  Finished finished = process->wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_THAT(finished.err, testing::EndsWith("debroot: error: the build was interrupted\n"));
  expect_nothing_left(place());
}

TEST_P(Interruption, CtrlCEndsASleepingHook) {
  Process process(build_command(
      place(), {"-o", "x.tar", "--variant", "essential", "--verbose", "--customize-hook", "echo asleep; sleep 600"}));
  EXPECT_TRUE(wait_until(
      [&] { return process.err_so_far().find("hook 'echo asleep; sleep 600': asleep") != std::string::npos; }, 20'000));
  ::kill(-process.pid(), SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_THAT(finished.err, testing::EndsWith("debroot: error: the build was interrupted\n"));
  expect_nothing_left(place());
}

TEST_P(Interruption, TerminationEndsTheBuild) {
  auto process = start_sleeping();
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait().status, 130);
  expect_nothing_left(place());
}

TEST_P(Interruption, CtrlCWhileTheMirrorIsSlow) {
  server().set_latency(std::chrono::milliseconds(20'000));
  Process process(build_command(place(), {"-o", "x.tar"}));
  EXPECT_TRUE(wait_until([&] { return !server().log().empty(); }, 10'000));
  process.signal(SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_EQ(normal(finished.err), "debroot: error: stopped before 'MIRROR/dists/tiny/InRelease' was downloaded\n");
  expect_nothing_left(place());
}

TEST_P(Interruption, CtrlCWhilePackagesAreChosenOnceMore) {
  test::Fault slow;
  slow.status = 200;
  slow.body = "never read";
  slow.stall = std::chrono::milliseconds(20'000);
  server().script("/dists/extra/InRelease", {slow});
  std::string hook = "echo 'deb " + server().url() +
                     " extra main' >\"$1\"/etc/apt/sources.list.d/extra.list; "
                     "touch \"$1\"/var/lib/apt/lists/" +
                     server().url().substr(7) + "_dists_extra_InRelease";
  Process process(build_command(place(), {"-o", "x.tar", "--essential-hook", hook}));
  EXPECT_TRUE(wait_until([&] { return server().requests("/dists/extra/InRelease") == 1; }, 20'000));
  process.signal(SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_EQ(normal(finished.err), "debroot: error: stopped before 'MIRROR/dists/extra/InRelease' was downloaded\n");
  expect_nothing_left(place());
}

TEST_P(Interruption, KilledOutsideProcessLeavesNothing) {
  auto process = start_sleeping();
  process->signal(SIGKILL);
  EXPECT_EQ(process->wait().status, 137);
  EXPECT_TRUE(has_no_process_soon());
  EXPECT_TRUE(wait_until([&] { return names_in(place().tmp()).empty(); }, 2'000));
  expect_nothing_left(place());
}

TEST_P(Interruption, WhatAKillOfAllLeavesIsSweptByTheNextRun) {
  auto process = start_sleeping();
  ::kill(-process->pid(), SIGKILL);
  EXPECT_EQ(process->wait().status, 137);
  EXPECT_TRUE(has_no_process_soon());
  EXPECT_THAT(names_in(place().tmp()), testing::SizeIs(1));
  image(place(), {"--variant", "custom", "--include", "hello"});
}

TEST_P(Interruption, DirectoryOutputIsEmptiedAgain) {
  auto process = start_sleeping({"-o", "tree"});
  EXPECT_TRUE(std::filesystem::exists(place().out("tree/bin/busybox")));
  process->signal(SIGINT);
  EXPECT_EQ(process->wait().status, 130);
  expect_nothing_left(place());
}

TEST_P(Interruption, ReaderThatGoesAway) {
  auto [read_end, write_end] = base::make_pipe();
  Command line = build_command(place(), {"-o", "-", "--variant", "essential"});
  line.output_fd = write_end.get();
  Process process(line);
  write_end.reset();
  char some[1000];
  EXPECT_GT(::read(read_end.get(), some, sizeof(some)), 0);
  read_end.reset();
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(normal(finished.err), "debroot: error: cannot write the image: the reader went away\n");
  expect_nothing_left(place());
}

/// A tmpfs of `bytes` over `path` that only the program sees.
std::function<void()> small_disk(const std::string &path, const std::string &size) {
  return [path, size] {
    std::string options = "mode=1777,size=" + size;
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("small", path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
      throw std::runtime_error("cannot mount a small disk");
    }
  };
}

TEST_P(Interruption, OutputOnAFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
  Command line = build_command(place(), {"-o", "small/x.tar", "--variant", "essential"});
  std::filesystem::create_directory(place().out("small"));
  line.in_the_child = small_disk(place().out("small"), "256k");
  EXPECT_EQ(failure_of(place(), line), "debroot: error: cannot write 'small/x.tar': no space left on device\n");
}

TEST_P(Interruption, TreeOnAFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
  // one package only: of several, it is chance which one meets the end of the disk
  Command line = build_command(place(), {"-o", "small/tree", "--variant", "custom", "--include", "shell"});
  std::filesystem::create_directory(place().out("small"));
  line.in_the_child = small_disk(place().out("small"), "256k");
  EXPECT_EQ(failure_of(place(), line),
            "debroot: error: cannot write '/bin/busybox': no space left on device\n"
            "  while: unpacking shell_1.0_ARCH\n");
}

TEST_P(Interruption, ScriptOnAFullDisk) {
  add(package("hog").script("postinst", "#!/bin/sh\nhead -c 100000000 /dev/zero >/big\n"));
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
  Command line = build_command(place(), {"-o", "small/tree", "--variant", "essential", "--include", "hog"});
  std::filesystem::create_directory(place().out("small"));
  line.in_the_child = small_disk(place().out("small"), "16m");
  EXPECT_EQ(failure_of(place(), line),
            "debroot: error: postinst of 'hog_1.0_ARCH' exited with status 1\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: head: standard output: I/O error\n");
}

TEST_P(Interruption, CacheOnAFullDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small disk";
  Command line = build_command(place(), {"-o", "x.tar", "--variant", "essential"});
  line.in_the_child = small_disk(place().cache(), "64k");
  EXPECT_EQ(failure_of(place(), line),
            "debroot: error: cannot keep a download: no space left on device\n"
            "  while: downloading 'MIRROR/pool/main/s/shell/shell_1.0_ARCH.deb'\n");
}

TEST_P(Interruption, FailedBuildKeepsTheFormerImage) {
  put_file(place().out("x.tar"), "the former image");
  add(package("bad").script("postinst", "#!/bin/sh\nexit 1\n"));
  EXPECT_EQ(build(place(), {"-o", "x.tar", "--variant", "essential", "--include", "bad"}).status, 1);
  EXPECT_EQ(bytes_of(place().out("x.tar")), "the former image");
}

}  // namespace
}  // namespace debroot::e2e
