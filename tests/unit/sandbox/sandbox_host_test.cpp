// The sandbox on a real kernel: as root, and as an ordinary user with subordinate ids. Every scenario runs in a child
// of its own; where the host refuses, the test is skipped with the reason.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/fd.hpp"
#include "debroot/error.hpp"
#include "namespace_fixture.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/emulation.hpp"
#include "sandbox/probe.hpp"
#include "sandbox/staging.hpp"

namespace debroot::sandbox {
namespace {

using test::As;
using test::shell;
using ::testing::HasSubstr;
using ::testing::Not;

class SandboxHost : public ::testing::TestWithParam<As> {
 protected:
  void SetUp() override {
    std::string reason = test::reason_to_skip(GetParam());
    if (!reason.empty()) GTEST_SKIP() << reason;
    scratch_ = test::make_scratch();
  }
  void TearDown() override {
    if (!scratch_.empty()) std::filesystem::remove_all(scratch_);
  }

  /// Runs `inside` with a runner that has entered a busybox tree.
  std::string in_tree(const std::function<std::string(Runner &, const base::RootDirectory &)> &inside,
                      StagingKind kind = StagingKind::memory, const RunnerOptions &options = {}) {
    return test::run_as(GetParam(), [&] {
      Staging staging = Staging::create(scratch_);
      return test::in_builder(
          false,
          [&] {
            Runner runner = Runner::start(options);
            StagingChoice choice{kind, 100'000'000, 10'000, {}};
            auto directory = prepare_staging(staging.path(), choice, false);
            base::RootDirectory root(directory.open_file("root", O_RDONLY | O_DIRECTORY));
            test::make_busybox_tree(root);
            runner.enter(root);
            return inside(runner, root);
          },
          staging.path());
    });
  }

  std::string in_shell(const std::string &script) {
    return in_tree([&](Runner &runner, const base::RootDirectory &) { return shell(runner, script); });
  }

  std::string scratch_;
};

std::string name_of(const ::testing::TestParamInfo<As> &info) { return info.param == As::root ? "root" : "user"; }
INSTANTIATE_TEST_SUITE_P(As, SandboxHost, ::testing::Values(As::root, As::user), name_of);

TEST_P(SandboxHost, BuilderIsRootWithFixedNameAndMask) {
  std::string answer = test::run_as(GetParam(), [] {
    return test::in_builder(false, [] {
      std::array<char, 64> name{};
      ::gethostname(name.data(), name.size());
      mode_t mask = ::umask(0);
      std::string text = std::to_string(::getuid()) + " " + std::to_string(::getegid()) + " ";
      return text + std::to_string(::getgroups(0, nullptr)) + " " + name.data() + " " + std::to_string(mask);
    });
  });
  EXPECT_EQ(answer, "0 0 0 debroot 18");
}

TEST_P(SandboxHost, ScriptIsRootAndSeesOnlyItsOwnProcesses) {
  EXPECT_EQ(in_shell("id -u; cd /proc; set -- [0-9]*; echo $# $1; test $3 = $$ && hostname"), "0\n3 1\ndebroot\n");
}

TEST_P(SandboxHost, ScriptFindsItselfInAChroot) {
  // as ischroot(1) looks: libc6's postinst waits a second for a running init otherwise
  std::string number = "awk '$5 == \"/\" { print $1 }' /proc/";
  EXPECT_EQ(in_shell("a=$(" + number + "1/mountinfo); b=$(" + number +
                     "self/mountinfo); test $a -a $b -a $a != $b && " + "echo yes; cat /proc/mounts | grep -c ' / '"),
            "yes\n1\n");
}

TEST_P(SandboxHost, NothingOfTheHostLiesAroundTheTree) {
  std::string around = in_shell("cd /proc/1/root/ && echo * dev/* proc/* sys/*");
  if (GetParam() == As::root) {
    EXPECT_EQ(around, "dev proc sys tree dev/* proc/* sys/*\n");
  } else {
    EXPECT_THAT(around, HasSubstr("Permission denied"));
  }
}

TEST_P(SandboxHost, ScriptSeesTheTreeAndNothingOfTheHost) {
  EXPECT_EQ(in_shell("cd /; echo *; test -e " + scratch_ + " || echo hidden"),
            "bin dev etc proc run sys tmp usr\nhidden\n");
}

TEST_P(SandboxHost, ScriptHasOnlyItsStandardStreams) {
  // ls itself holds the directory
  EXPECT_EQ(in_shell("ls /proc/self/fd; readlink /proc/self/fd/0"), "0\n1\n2\n3\n/dev/null\n");
}

TEST_P(SandboxHost, RunnerShowsNeitherCommandLineNorEnvironment) {
  std::string answer = in_shell("tr -d '\\000' < /proc/1/cmdline; tr -d '\\000' < /proc/1/environ; cat /proc/1/comm");
  EXPECT_THAT(answer, HasSubstr("debroot-runner"));
  EXPECT_THAT(answer, Not(HasSubstr("unit_sandbox")));
  EXPECT_THAT(answer, Not(HasSubstr("PATH=")));
}

TEST_P(SandboxHost, NetworkIsLoopbackAlone) {
  EXPECT_EQ(in_shell("cut -d: -f1 /proc/net/dev | grep -v '|' | tr -d ' '; cat /sys/class/net/lo/flags"), "lo\n0x9\n");
  EXPECT_THAT(in_shell("wget -q http://192.0.2.1/ 2>&1"), HasSubstr("Network is unreachable"));
}

TEST_P(SandboxHost, NetworkIsTheHostsWhenShared) {
  std::string host = base::read_file("/proc/net/route");
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) { return shell(runner, "cat /proc/net/route"); },
                    StagingKind::memory, {.shares_network = true}),
            host);
}

TEST_P(SandboxHost, DevicesWorkAndKernelSettingsAreReadOnly) {
  EXPECT_EQ(in_shell("head -c 3 /dev/zero | wc -c; echo x > /dev/null && echo y > /dev/shm/f && cat /dev/shm/f; "
                     "readlink /dev/ptmx; echo z > /dev/stdout"),
            "3\ny\npts/ptmx\nz\n");
  EXPECT_THAT(in_shell("echo x > /proc/sys/kernel/hostname"), HasSubstr("Read-only file system"));
}

TEST_P(SandboxHost, MountsStayInTheRunner) {
  std::string answer = in_tree([](Runner &runner, const base::RootDirectory &root) {
    shell(runner, "touch /dev/shm/x /tmp/seen");
    return std::to_string(root.list("dev").size() + root.list("proc").size()) +
           (root.exists("tmp/seen") ? " seen" : "");
  });
  EXPECT_EQ(answer, "0 seen");
}

TEST_P(SandboxHost, StagesOnDiskToo) {
  EXPECT_EQ(in_tree([](Runner &runner,
                       const base::RootDirectory &) { return shell(runner, "chown 33:42 /etc; stat -c %u:%g /etc"); },
                    StagingKind::disk),
            "33:42\n");
  EXPECT_TRUE(std::filesystem::is_empty(scratch_));
}

TEST_P(SandboxHost, ReportsHowProgramsEnd) {
  std::string answer = in_tree([](Runner &runner, const base::RootDirectory &root) {
    root.write("bin/broken", "#!/no/such\n", 0755);
    auto run = [&](const std::string &program) {
      RunRequest request{{program}, {"PATH=/bin"}};
      return describe(runner.run(request, [](std::string_view) {})) + "\n";
    };
    return shell(runner, "exit 3") + "\n" + shell(runner, "kill -9 $$") + "\n" + run("absent") + run("broken") +
           run("/etc") + shell(runner, "echo still alive");
  });
  EXPECT_EQ(answer,
            "[exited with status 3]\n[was killed by signal 9 (killed)]\n"
            "could not be started: no such file or directory\n"
            "could not be started: its interpreter is not there\n"
            "could not be started: permission denied\nstill alive\n");
}

TEST_P(SandboxHost, CarriesMuchOutputAndAGivenInput) {
  std::string answer = in_tree([](Runner &runner, const base::RootDirectory &) {
    auto [read_end, write_end] = base::make_pipe();
    base::write_all(write_end.get(), "typed\n");
    write_end.reset();
    RunRequest request;
    request.stdin_fd = read_end.get();
    std::string echoed = shell(runner, "cat", request);
    return echoed + std::to_string(shell(runner, "head -c 5000000 /dev/zero").size());
  });
  EXPECT_EQ(answer, "typed\n5000000");
}

TEST_P(SandboxHost, BackgroundProcessesLiveOn) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              std::string first = shell(runner, "(sleep 100 & echo $! > /tmp/pid) ; echo started");
              return first + shell(runner, "kill -0 $(cat /tmp/pid) && echo alive; (sleep 0.01 &); cat /proc/1/comm");
            }),
            "started\nalive\ndebroot-runner\n");
}

TEST_P(SandboxHost, KillsTheProgramThatRuns) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              RunRequest request{{"/bin/sh", "-c", "echo ready; sleep 100; echo never"}, {"PATH=/bin"}};
              std::string output;
              RunResult result = runner.run(request, [&](std::string_view chunk) {
                output += chunk;
                runner.kill_current();
              });
              return output + describe(result) + "\n" + shell(runner, "echo next");
            }),
            "ready\nwas killed by signal 9 (killed)\nnext\n");
}

TEST_P(SandboxHost, SkipsSleepWhereToldTo) {
#if !defined(__x86_64__) && !defined(__aarch64__)
  GTEST_SKIP() << "sleep is not skipped on this architecture";
#endif
  auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              RunRequest request{{"/bin/sh", "-c", "sleep 300; echo \"slept $?\""}, {"PATH=/bin"}};
              request.skips_sleep = true;
              std::string output;
              RunResult result = runner.run(request, [&](std::string_view chunk) { output += chunk; });
              return output + describe(result) + "\n" + shell(runner, "sleep 0.3; echo next");
            }),
            "slept 0\nexited with status 0\nnext\n");
  auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds(200));
  EXPECT_GE(took, std::chrono::milliseconds(300)) << "what runs next sleeps";
}

TEST_P(SandboxHost, PassesExceptionsOfTheListenerOn) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) -> std::string {
              RunRequest request{{"/bin/sh", "-c", "echo ready; sleep 100"}, {"PATH=/bin"}};
              try {
                static_cast<void>(runner.run(
                    request, [](std::string_view) { throw Error(ErrorKind::interrupted, "stopped by the listener"); }));
              } catch (const Error &error) {
                return error.message() + "\n" + shell(runner, "echo next");
              }
              return "no exception";
            }),
            "stopped by the listener\nnext\n");
}

TEST_P(SandboxHost, SaysThatTheRunnerIsGone) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              runner.stop();
              return shell(runner, "echo next");
            }),
            "error: the process that runs scripts has ended");
}

TEST_P(SandboxHost, BindsAreSeenOnlyWhereWanted) {
  if (test::is_emulated()) GTEST_SKIP() << "an emulator cannot change into another mount namespace";
  EXPECT_EQ(in_tree([this](Runner &runner, const base::RootDirectory &root) {
              std::ofstream(scratch_ + "/twin") << "twin\n";
              for (int i = 0; i < 20; ++i) root.write("etc/" + std::to_string(i), "own\n");
              std::vector<ReadOnlyBind> binds;
              for (int i = 0; i < 20; ++i) binds.push_back({scratch_ + "/twin", "/etc/" + std::to_string(i)});
              runner.bind(binds);
              RunRequest bare;
              bare.sees_binds = false;
              return shell(runner, "cat /etc/0 /etc/19; echo x 2>&1 > /etc/0 | grep -o Read-only") +
                     shell(runner, "cat /etc/0; id -u; cd /; echo *; cat /proc/1/comm", bare) + root.read("etc/19");
            }),
            "twin\ntwin\nRead-only\nown\n0\nbin dev etc proc run sys tmp usr\ndebroot-runner\nown\n");
}

TEST_P(SandboxHost, TakesBindsAwayAgain) {
  EXPECT_EQ(in_tree([this](Runner &runner, const base::RootDirectory &root) {
              std::ofstream(scratch_ + "/twin") << "twin\n";
              for (const char *name : {"etc/0", "etc/1", "etc/2"}) root.write(name, "own\n");
              runner.bind({{scratch_ + "/twin", "/etc/0"}, {scratch_ + "/twin", "/etc/1"}});
              // one lets go when its file is replaced from outside, one never had anything over it, one is not there
              root.replace("etc/1", "new\n");
              runner.unbind({"/etc/0", "/etc/1", "/etc/2", "/etc/absent"});
              return shell(runner, "cat /etc/0 /etc/1 /etc/2; mv /etc/0 /etc/moved && echo moved");
            }),
            "own\nnew\nown\nmoved\n");
}

TEST_P(SandboxHost, HasADirectoryOfItsOwnToLaySomethingOver) {
  EXPECT_EQ(in_tree(
                [this](Runner &runner, const base::RootDirectory &) {
                  std::filesystem::create_directory(scratch_ + "/shown");
                  std::ofstream(scratch_ + "/shown/x") << "x\n";
                  runner.bind({{scratch_ + "/shown", "/dev/.own"}});
                  return shell(runner, "cat /dev/.own/x");
                },
                StagingKind::memory, {.private_name = ".own"}),
            "x\n");
}

TEST_P(SandboxHost, BindsNeedNoProc) {
  if (test::is_emulated()) GTEST_SKIP() << "an emulator cannot change into another mount namespace";
  EXPECT_EQ(in_tree(
                [this](Runner &runner, const base::RootDirectory &root) {
                  std::ofstream(scratch_ + "/twin") << "twin\n";
                  root.write("etc/0", "own\n");
                  runner.bind({{scratch_ + "/twin", "/etc/0"}});
                  RunRequest bare;
                  bare.sees_binds = false;
                  return shell(runner, "cat /etc/0; echo /proc/*") + shell(runner, "cat /etc/0", bare);
                },
                StagingKind::memory, {.mounts_proc = false}),
            "twin\n/proc/*\nown\n");
}

TEST_P(SandboxHost, NamesABindThatFails) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              runner.bind({{"/bin/sh", "/etc/absent"}});
              return std::string("bound");
            }),
            "error: cannot mount over '/etc/absent': no such file or directory");
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              runner.bind({{"/no/such", "/bin/sh"}});
              return std::string("bound");
            }),
            "error: cannot bind '/no/such' into the tree: no such file or directory");
}

TEST_P(SandboxHost, NotesDirectoriesThatTheTreeLacks) {
  std::string answer = test::run_as(GetParam(), [&] {
    Staging staging = Staging::create(scratch_);
    return test::in_builder(
        false,
        [&] {
          auto directory = prepare_staging(staging.path(), {StagingKind::memory, 1'000'000, 100, {}}, false);
          directory.make_directories("root/dev");
          Runner runner = Runner::start({});
          runner.enter(base::RootDirectory(directory.open_file("root", O_RDONLY | O_DIRECTORY)));
          std::string notes;
          for (const std::string &note : runner.notes()) notes += note + "\n";
          return notes;
        },
        staging.path());
  });
  std::string about_filters = test::is_emulated() ? "this host has no seccomp, so scripts wait for the disk\n" : "";
  EXPECT_EQ(answer, about_filters + "the tree has no directory /proc\nthe tree has no directory /sys\n");
}

TEST_P(SandboxHost, SyncingIsQuiet) {
  if (test::is_emulated()) GTEST_SKIP() << "an emulator has no seccomp filters";
  EXPECT_EQ(in_shell("grep ^Seccomp: /proc/self/status; grep ^NoNewPrivs: /proc/self/status"),
            "Seccomp:\t2\nNoNewPrivs:\t0\n");
}

TEST_P(SandboxHost, BuilderStatusComesBack) {
  std::string answer = test::run_as(GetParam(), []() -> std::string {
    auto exited = start_builder(choose_namespaces(false), [](base::Channel) { return 5; });
    auto crashed = start_builder(choose_namespaces(false), [](base::Channel) { return ::raise(SIGKILL); });
    auto threw = start_builder(choose_namespaces(false), [](base::Channel) -> int { throw std::bad_alloc(); });
    std::string text;
    for (BuilderHandle *each : {&exited, &crashed, &threw}) text += std::to_string(each->wait()) + " ";
    return text;
  });
  EXPECT_EQ(answer, "5 137 1 ");
}

/// Waits until a file is there, at most ten seconds.
bool appears(const std::string &path) {
  for (int i = 0; i < 1000; ++i) {
    if (::access(path.c_str(), F_OK) == 0) return true;
    ::usleep(10'000);
  }
  return false;
}

/// True when some process has `token` in its command line.
bool is_running(const std::string &token) {
  for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (text.find(token) != std::string::npos) return true;
  }
  return false;
}

/// What a builder does that is about to be killed: a tree on disk, a script inside and a hook's daemon outside.
int build_forever(const std::string &staging, const std::string &token, const std::string &marker) {
  Runner runner = Runner::start({});
  auto directory = prepare_staging(staging, {}, false);
  base::RootDirectory root(directory.open_file("root", O_RDONLY | O_DIRECTORY));
  test::make_busybox_tree(root);
  runner.enter(root);
  // leaves through a grandchild, as daemons do
  std::string daemon = "(setsid sleep " + token + " < /dev/null > /dev/null 2>&1 &)";
  if (::system(daemon.c_str()) != 0) return 1;
  RunRequest request{{"/bin/sh", "-c", "echo ready; sleep " + token}, {"PATH=/bin"}};
  static_cast<void>(runner.run(request, [&](std::string_view) { std::ofstream(marker) << "up"; }));
  return 0;
}

TEST_P(SandboxHost, NothingStaysWhenTheCallerIsKilled) {
  std::string token = "98" + std::to_string(::getpid());
  std::string marker = scratch_ + "/marker";
  auto [read_end, write_end] = base::make_pipe();
  pid_t outside = ::fork();
  if (outside == 0) {
    test::run_as(GetParam(), [&]() -> std::string {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      Staging staging = Staging::create(scratch_);
      NamespaceRequest request = choose_namespaces(false);
      request.staging_directories = {staging.path()};
      auto handle = start_builder(request, [&](base::Channel) { return build_forever(staging.path(), token, marker); });
      handle.wait();
      return "";
    });
    ::_exit(0);
  }
  write_end.reset();
  ASSERT_TRUE(appears(marker));
  EXPECT_TRUE(is_running(token));
  ::kill(outside, SIGKILL);
  ::waitpid(outside, nullptr, 0);
  // every process of the build holds the write end until it ends
  EXPECT_EQ(base::read_all(read_end.get()), "");
  EXPECT_FALSE(is_running(token));
  std::filesystem::remove(marker);
  EXPECT_TRUE(std::filesystem::is_empty(scratch_));
}

TEST_P(SandboxHost, KillEndsAllAndCleansUp) {
  std::string token = "97" + std::to_string(::getpid());
  std::string marker = scratch_ + "/marker";
  std::string answer = test::run_as(GetParam(), [&] {
    Staging staging = Staging::create(scratch_);
    NamespaceRequest request = choose_namespaces(false);
    request.staging_directories = {staging.path()};
    auto handle = start_builder(request, [&](base::Channel) { return build_forever(staging.path(), token, marker); });
    bool was_up = appears(marker);
    handle.kill();
    int status = handle.wait();
    return std::to_string(was_up) + " " + std::to_string(status) + " " +
           std::to_string(::access(staging.path().c_str(), F_OK));
  });
  EXPECT_EQ(answer, "1 137 -1");
  EXPECT_FALSE(is_running(token));
}

TEST_P(SandboxHost, SweepRemovesWhatMappedIdsOwn) {
  std::string answer = test::run_as(GetParam(), [&] {
    NamespaceRequest request = choose_namespaces(false);
    uid_t caller = request.id_map ? request.id_map->caller_uid_inside : 0;
    std::string stale = Staging::create(scratch_).path();
    ::mkdir(stale.c_str(), 0700);  // as after a kill of everything: the lock is free
    return test::in_builder(false, [&] {
      auto directory = prepare_staging(stale, {}, false);
      test::make_busybox_tree(base::RootDirectory(directory.open_file("root", O_RDONLY | O_DIRECTORY)));
      directory.set_owner("root/etc", 33, 33);
      return std::to_string(sweep_stale_stagings(scratch_, caller));
    });
  });
  EXPECT_EQ(answer, "1");
  EXPECT_TRUE(std::filesystem::is_empty(scratch_));
}

TEST_P(SandboxHost, EmulatorIsRegisteredForTheBuildAlone) {
  std::string answer = test::run_as(GetParam(), [&]() -> std::string {
    Emulation emulation;
    try {
      emulation = find_emulation("riscv64");
    } catch (const Error &error) {
      return "skip: " + error.message();
    }
    if (!emulation.needs_own_binfmt()) return "skip: riscv64 programs run without a registration of one's own";
    std::string inside = test::in_builder(true, [&] {
      std::string mount_point = scratch_ + "/binfmt";
      ::mkdir(mount_point.c_str(), 0755);
      register_emulator(emulation, mount_point);
      return std::to_string(try_program("riscv64", 7).value_or(-1));
    });
    return inside + " " + std::to_string(try_program("riscv64", 7).value_or(-1));
  });
  if (answer.starts_with("skip")) GTEST_SKIP() << answer;
  EXPECT_EQ(answer, "7 -1");
}

TEST_P(SandboxHost, ProbeFindsThisHostFit) {
  std::string answer = test::run_as(GetParam(), [] {
    std::string text;
    for (const Finding &finding : probe_host("/tmp", {"vax"})) {
      if (finding.state == FindingState::fail) text += finding.subject + ": " + finding.text + "\n";
      if (finding.state == FindingState::warn && finding.subject == "programs of vax") text += finding.text + "\n";
    }
    return text;
  });
  EXPECT_EQ(answer, "unknown architecture 'vax'\n");
}

/// Whether a new /proc may be mounted in a pid namespace of one's own; a container can have one that is out of sight
/// and whole, which counts.
bool may_mount_proc() {
  pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) ::_exit(1);
    pid_t first = ::fork();
    if (first == 0) ::_exit(::mount("proc", "/mnt", "proc", 0, nullptr) == 0 ? 0 : 1);
    int status = 1;
    ::waitpid(first, &status, 0);
    ::_exit(status == 0 ? 0 : 1);
  }
  int status = 1;
  ::waitpid(pid, &status, 0);
  return status == 0;
}

TEST(SandboxHostRoot, FallsBackToTheHostsProcWhenItIsMasked) {
  if (test::is_emulated()) GTEST_SKIP() << "an emulator cannot make a user namespace";
  std::string reason = test::reason_to_skip(As::root);
  if (!reason.empty()) GTEST_SKIP() << reason;
  std::string answer = test::run_as(As::root, []() -> std::string {
    // as containers do it: what covers a part of /proc cannot be taken away in a user namespace
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("/dev/null", "/proc/version", nullptr, MS_BIND, nullptr) != 0 ||
        ::mount("tmpfs", "/mnt", "tmpfs", 0, nullptr) != 0) {
      return "skip";
    }
    return test::in_builder(true, []() -> std::string {
      if (may_mount_proc()) return "skip";
      Runner runner = Runner::start({});
      base::RootDirectory root = base::RootDirectory::open("/mnt");
      test::make_busybox_tree(root);
      runner.enter(root);
      return runner.notes().at(0) + "\n" + shell(runner, "cat /proc/self/comm; cat /proc/version");
    });
  });
  if (answer == "skip") GTEST_SKIP() << "/proc cannot be masked here";
  EXPECT_EQ(answer, "this host allows no new /proc, so scripts see the host's processes there\ncat\n");
}

TEST_P(SandboxHost, RefusesAProgramWithoutName) {
  EXPECT_EQ(in_tree([](Runner &runner, const base::RootDirectory &) {
              return describe(runner.run({}, [](std::string_view) {}));
            }),
            "error: a program to run must have a name");
}

TEST(SandboxHostUser, ForeignRangesAreRefusedByTheHelper) {
  std::string reason = test::reason_to_skip(As::user);
  if (!reason.empty()) GTEST_SKIP() << reason;
  std::string answer = test::run_as(As::user, [] {
    NamespaceRequest request = choose_namespaces(false);
    request.id_map->users[0].outside = 1;
    static_cast<void>(start_builder(request, [](base::Channel) { return 0; }));
    return std::string("started");
  });
  EXPECT_THAT(answer, HasSubstr("newuidmap' refused the map of ids with status 1"));
}

}  // namespace
}  // namespace debroot::sandbox
