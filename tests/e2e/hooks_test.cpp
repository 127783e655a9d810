/// Hooks: the user's own programs beside the build.

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "base/text.hpp"
#include "e2e/hooks_fixture.hpp"

namespace debroot::e2e {
namespace {

DEBROOT_AS_BOTH(Hooks);

TEST_P(Hooks, RunInTheOrderOfTheirStages) {
  std::string what = "ls \"$1\"/bin/sh \"$1\"/usr/share/hello/greeting 2>/dev/null | sed \"s,$1,,\" >>\"$NOTE\"";
  EXPECT_EQ(
      noted({"--customize-hook", "echo customize 1 >>\"$NOTE\"; " + what, "--customize-hook",
             "echo customize 2 >>\"$NOTE\"", "--essential-hook", "echo essential >>\"$NOTE\"; " + what,
             "--extract-hook", "echo extract >>\"$NOTE\"; " + what, "--setup-hook", "echo setup >>\"$NOTE\"; " + what}),
      "setup\n"
      "extract\n/bin/sh\n"
      "essential\n/bin/sh\n"
      "customize 1\n/bin/sh\n/usr/share/hello/greeting\n"
      "customize 2\n");
}

TEST_P(Hooks, GetTheCallersEnvironment) {
  std::string text =
      noted({"--customize-hook", "env | sort | grep -v -e ^NOTE= -e ^MMDEBSTRAP_ -e ^container= >\"$NOTE\""});
  EXPECT_EQ(normal(text),
            "DEBCONF_NONINTERACTIVE_SEEN=true\n"
            "DEBIAN_FRONTEND=noninteractive\n"
            "HOME=PLACE/home\n"
            "LANG=C.UTF-8\n"
            "LANGUAGE=C.UTF-8\n"
            "LC_ALL=C.UTF-8\n"
            "MINE=inherited\n"
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "PWD=PLACE/out\n"
            "SOURCE_DATE_EPOCH=1577836800\n"
            "XDG_CACHE_HOME=PLACE/cache\n");
}

TEST_P(Hooks, AreToldOfTheBuildAsMmdebstrapTells) {
  std::string show =
      "echo $MMDEBSTRAP_HOOK $MMDEBSTRAP_MODE $MMDEBSTRAP_SUITE $MMDEBSTRAP_FORMAT $MMDEBSTRAP_INCLUDE "
      "$MMDEBSTRAP_VERBOSITY $MMDEBSTRAP_HOOKSOCK ${container-none} >>\"$NOTE\"; "
      "test -S /proc/self/fd/7; test -x \"$MMDEBSTRAP_ARGV0\"; grep -qx \"Dir \\\"$1\\\";\" "
      "\"$MMDEBSTRAP_APT_CONFIG\"; "
      "test \"${MMDEBSTRAP_ESSENTIAL-none}\" = none";
  std::string debs = "ls -d $(for d in $MMDEBSTRAP_ESSENTIAL; do echo \"$1$d\"; done) | sed s,.*/,, >>\"$NOTE\"";
  std::string mode = GetParam() == As::root ? "root" : "unshare";
  std::string tail =
      " " + mode + " tiny tar hello 0 7 " + (GetParam() == As::root ? "none" : "mmdebstrap-unshare") + "\n";
  EXPECT_EQ(noted({"--setup-hook", show, "--extract-hook", debs, "--essential-hook", show, "--customize-hook",
                   show + "; ls \"$1\"/var/cache/apt/archives >>\"$NOTE\""}),
            "setup" + tail + "base-files_1.0_" + architecture() + ".deb\nshell_1.0_" + architecture() +
                ".deb\nessential" + tail + "customize" + tail + "lock\npartial\n");
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_EQ(made.count("/tmp/mmdebstrap.apt.conf.debroot"), 0U);
}

TEST_P(Hooks, SeeDevicesButNotAllOfTheHosts) {
  std::string show = "ls \"$1\"/dev 2>/dev/null | tr '\\n' ' ' >>\"$NOTE\"; echo >>\"$NOTE\"; ";
  std::string use = "echo x >\"$1\"/dev/null; test -c \"$1\"/dev/zero; test ! -s \"$1\"/dev/null";
  std::string all = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero \n";
  // a container may have none
  if (::access("/dev/console", F_OK) == 0) all.insert(0, "console ");
  EXPECT_EQ(noted({"--setup-hook", show, "--extract-hook", show + use, "--customize-hook", show + use}),
            "\n" + all + all);
  EXPECT_EQ(read_tar(bytes_of(place().out("image.tar")))["/dev/console"].type, 'c');
}

TEST_P(Hooks, ListsOfAptsUpdateStay) {
  // what apt-get update of a hook brings is there for the hooks that follow
  std::string lists = "\"$1\"/var/lib/apt/lists/";
  EXPECT_EQ(noted({"--essential-hook", "echo more >" + lists + "other_Packages", "--customize-hook",
                   "cat " + lists + "other_Packages >\"$NOTE\""}),
            "more\n");
  EXPECT_FALSE(read_tar(bytes_of(place().out("image.tar"))).contains("/var/lib/apt/lists/other_Packages"));
}

TEST_P(Hooks, MayMakeTheRootTheRootDirectory) {
  if (::access("/usr/sbin/pivot_root", X_OK) != 0) GTEST_SKIP() << "no pivot_root here";
  std::string pivot = "mkdir \"$1\"/old && mount --bind \"$1\" \"$1\" && cd \"$1\" && /usr/sbin/pivot_root . old";
  noted({"--customize-hook", pivot, "--customize-hook", "echo \"$1\" >/path"});
  EXPECT_EQ(read_tar(bytes_of(place().out("image.tar")))["/path"].content, "/\n");
}

TEST_P(Hooks, MayBeAProgram) {
  put_file(place().out("hook"), "#!/bin/sh\necho \"$#\" >\"$NOTE\"\ntest -d \"$1/etc\" && echo root >>\"$NOTE\"\n",
           0755);
  EXPECT_EQ(noted({"--customize-hook", place().out("hook")}), "1\nroot\n");
}

TEST_P(Hooks, WriteIntoTheImage) {
  noted({"--customize-hook", "echo mine >\"$1\"/etc/mine", "--customize-hook",
         "chroot \"$1\" sh -c 'echo inside >/etc/inside'"});
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_EQ(made["/etc/mine"].content, "mine\n");
  EXPECT_EQ(made["/etc/mine"].uid, 0U);
  EXPECT_EQ(made["/etc/inside"].content, "inside\n");
}

TEST_P(Hooks, SeeTheIndexesAndTheHostsResolver) {
  add(package("looker").script("postinst", "#!/bin/sh\nls /var/lib/apt/lists /etc/resolv.conf >/seen 2>&1\nexit 0\n"));
  std::string text = noted({"--include", "looker", "--customize-hook",
                            "{ ls \"$1\"/var/lib/apt/lists; cmp /etc/resolv.conf \"$1\"/etc/resolv.conf; "
                            "cat \"$1\"/seen; } >\"$NOTE\""});
  std::string list = "127.0.0.1:" + std::to_string(server().port()) + "_dists_tiny_";
  EXPECT_EQ(text, list + "InRelease\n" + list + "main_binary-" + architecture() +
                      "_Packages.gz\nlock\npartial\nls: /etc/resolv.conf: No such file or directory\n"
                      "/var/lib/apt/lists:\npartial\n");
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_FALSE(made.contains("/etc/resolv.conf"));
  EXPECT_EQ(made.count("/var/lib/apt/lists/" + list + "InRelease"), 0U);
}

TEST_P(Hooks, ResolverOfTheImageComesBack) {
  add(package("resolver").file("etc/resolv.conf", "nameserver 192.0.2.1\n"));
  noted({"--include", "resolver", "--customize-hook", "cmp /etc/resolv.conf \"$1\"/etc/resolv.conf"});
  EXPECT_EQ(read_tar(bytes_of(place().out("image.tar")))["/etc/resolv.conf"].content, "nameserver 192.0.2.1\n");
}

TEST_P(Hooks, FailingHookFailsTheBuild) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--customize-hook", "echo told; echo more >&2; exit 7"});
  EXPECT_EQ(failure(place(), arguments),
            "debroot: error: customize hook 'echo told; echo more >&2; exit 7' exited with status 7\n"
            "  output: told\n"
            "  output: more\n");
}

TEST_P(Hooks, ProgramThatIsNotThere) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--customize-hook", "/nonexistent/hook"});
  EXPECT_EQ(failure(place(), arguments),
            "debroot: error: cannot start the hook '/nonexistent/hook': no such file or directory\n");
}

TEST_P(Hooks, ProcessesLeftBehindAreEnded) {
  noted({"--customize-hook", "sleep 600 >/dev/null 2>&1 </dev/null &", "--essential-hook", "sleep 600 &"});
}

TEST_P(Hooks, SpecialOnesMoveFiles) {
  std::filesystem::create_directories(place().out("tree/d"));
  put_file(place().out("tree/d/x y"), "x");
  put_file(place().out("single"), "single");
  noted({"--setup-hook", "upload single /etc/uploaded", "--customize-hook", "copy-in 'tree' single /etc",
         "--essential-hook", "sync-in tree/ /root", "--customize-hook", "tar-out /etc/tree out.tar", "--customize-hook",
         "mkdir \"$1\"/mine", "--customize-hook", "tar-in out.tar /mine", "--customize-hook",
         "download /usr/share/hello/greeting deep/er/greeting", "--customize-hook", "copy-out /etc/tree copied",
         "--customize-hook", "sync-out /etc/tree synced"});
  Image made = read_tar(bytes_of(place().out("image.tar")));
  for (const char *path : {"/etc/tree/d/x y", "/root/d/x y", "/mine/tree/d/x y"})
    EXPECT_EQ(made[path].content, "x") << path;
  EXPECT_EQ(made["/etc/uploaded"].content, "single");
  EXPECT_EQ(made["/etc/uploaded"].mode, 0644U);
  EXPECT_EQ(made["/etc/single"].content, "single");
  EXPECT_EQ(bytes_of(place().out("deep/er/greeting")), "hello\n");
  // they are the caller's files
  EXPECT_EQ(bytes_of(place().out("copied/tree/d/x y")), "x");
  EXPECT_EQ(bytes_of(place().out("synced/d/x y")), "x");
  struct stat info {};
  ASSERT_EQ(::stat(place().out("deep/er/greeting").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, place().account.uid);
}

TEST_P(Hooks, ScriptsMayCallTheSpecialOnes) {
  put_file(place().out("single"), "single");
  std::string helper =
      "\"$MMDEBSTRAP_ARGV0\" --hook-helper \"$1\" \"$MMDEBSTRAP_MODE\" \"$MMDEBSTRAP_HOOK\" env "
      "\"$MMDEBSTRAP_VERBOSITY\" ";
  std::string sockets = " <&$MMDEBSTRAP_HOOKSOCK >&$MMDEBSTRAP_HOOKSOCK; ";
  std::string text = noted({"--customize-hook", helper + "copy-in single /etc" + sockets + helper +
                                                    "download /etc/issue issue" + sockets + "if " + helper +
                                                    "upload nothing /etc/x <&7 >&7 2>\"$NOTE\"; then exit 9; fi; " +
                                                    helper + "upload single /etc/again" + sockets});
  EXPECT_EQ(text, "E: cannot read 'nothing': no such file or directory\n");
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_EQ(made["/etc/single"].content, "single");
  EXPECT_EQ(made["/etc/again"].content, "single");
  EXPECT_EQ(bytes_of(place().out("issue")), "Tiny\n");
}

TEST_P(Hooks, FailingSpecialOne) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(), {"-o", "x.tar", "--customize-hook", "upload nothing /etc"});
  EXPECT_EQ(failure(place(), arguments),
            "debroot: error: cannot upload '/etc': it is a directory in the root\n"
            "  while: running the customize hook 'upload nothing /etc'\n");
}

TEST_P(Hooks, ChrootedOnesRunInside) {
  std::string note = "echo $MMDEBSTRAP_HOOK $PWD $(ls -d /bin/busybox /proc/self) >>/note";
  noted({"--chrooted-customize-hook", note + "; echo between >>/note", "--customize-hook", "echo outside >>\"$1\"/note",
         "--chrooted-essential-hook", note, "--chrooted-extract-hook", note});
  EXPECT_EQ(read_tar(bytes_of(place().out("image.tar")))["/note"].content,
            "extract / /bin/busybox /proc/self\nessential / /bin/busybox /proc/self\n"
            "customize / /bin/busybox /proc/self\nbetween\noutside\n");
}

TEST_P(Hooks, WhatTheyMountLasts) {
  std::filesystem::create_directories(place().out("given"));
  put_file(place().out("given/file"), "given");
  add(package("looker").script("postinst", "#!/bin/sh\ncat /given/file >/seen\n"));
  std::string see = "cat \"$1\"/given/file >>\"$1\"/seen; umount \"$1\"/given; rmdir \"$1\"/given";
  noted({"--include", "looker", "--setup-hook", "mkdir \"$1\"/given; mount --bind given \"$1\"/given",
         "--customize-hook", see + "; mkdir \"$1\"/left; mount -t tmpfs none \"$1\"/left"});
  Image made = read_tar(bytes_of(place().out("image.tar")));
  EXPECT_EQ(made["/seen"].content, "givengiven");
  EXPECT_TRUE(made.contains("/left"));
}

TEST_P(Hooks, CtrlCDuringOneLeavesNothing) {
  Command line =
      build_command(place(), {"-o", "tree", "--variant", "essential", "--essential-hook",
                              "mkdir \"$1\"/m; mount -t tmpfs none \"$1\"/m; sleep 600 & echo >\"$NOTE\"; wait"});
  line.environment["NOTE"] = place().tmp() + "/note";
  Process process(line);
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(place().tmp() + "/note"); }, 30'000));
  process.signal(SIGINT);
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 130);
  EXPECT_EQ(finished.err, "debroot: error: the build was interrupted\n");
  std::filesystem::remove(place().tmp() + "/note");
  expect_nothing_left(place());
}

TEST_P(Hooks, FailingOneUndoesItsMounts) {
  std::vector<std::string> arguments = kSmall;
  arguments.insert(arguments.end(),
                   {"-o", "tree", "--essential-hook", "mkdir \"$1\"/m; mount -t tmpfs none \"$1\"/m; exit 7"});
  EXPECT_THAT(failure(place(), arguments), testing::EndsWith(" exited with status 7\n"));
}

/// Directories of mmdebstrap's on a host that does not have them.
struct BuiltInHooks : Hooks {
  Command line_of(const std::string &directory, std::vector<std::string> more) {
    Command line = build_command(place(), {});
    std::vector<std::string> words = {line.argv[0],
                                      "mmdebstrap",
                                      "--quiet",
                                      "--variant=essential",
                                      "--keyring=" + scratch("key.asc"),
                                      "--hook-dir=/usr/share/mmdebstrap/hooks/" + directory};
    words.insert(words.end(), more.begin(), more.end());
    line.argv = std::move(words);
    line.environment["NOTE"] = note();
    if (!std::filesystem::exists("/usr/share/mmdebstrap")) return line;
    line.in_the_child = [] {
      if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
          ::mount("none", "/usr/share/mmdebstrap", "tmpfs", 0, nullptr) != 0) {
        throw std::runtime_error("cannot hide /usr/share/mmdebstrap");
      }
    };
    return line;
  }
  void SetUp() override {
    Hooks::SetUp();
    bool has_real = std::filesystem::exists("/usr/share/mmdebstrap");
    if (has_real && ::geteuid() != 0) GTEST_SKIP() << "needs root to hide the real ones";
  }
};
DEBROOT_AS_BOTH(BuiltInHooks);

TEST_P(BuiltInHooks, EatmydataDoesNothing) {
  Finished finished = finish(place(), line_of("eatmydata", {"tiny", "image.tar", server().url()}));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
}

TEST_P(BuiltInHooks, FileMirrorsAreThereInside) {
  std::string archive = scratch("archive");
  Finished finished = finish(
      place(),
      line_of("file-mirror-automount", {"--essential-hook=cat \"$1\"" + archive + "/dists/tiny/Release >\"$NOTE\"",
                                        "tiny", "image.tar", "deb file://" + archive + " tiny main"}));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(bytes_of(note()), testing::HasSubstr("Codename: tiny"));
}

TEST_P(BuiltInHooks, FileMirrorsAreCopiedWhereNothingIsMounted) {
  std::string archive = scratch("archive");
  Finished finished =
      finish(place(), line_of("file-mirror-automount",
                              {"--mode=chrootless", "--skip=check/chrootless", "--variant=custom", "--include=hello",
                               "--essential-hook=cat \"$1\"" + archive + "/dists/tiny/Release >\"$NOTE\"", "tiny",
                               "image.tar", "deb file://" + archive + " tiny main"}));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(bytes_of(note()), testing::HasSubstr("Codename: tiny"));
  EXPECT_FALSE(read_tar(bytes_of(place().out("image.tar"))).contains(archive + "/dists"));
}

}  // namespace
}  // namespace debroot::e2e
