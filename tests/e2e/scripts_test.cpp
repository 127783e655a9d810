/// Maintainer scripts: what they can see, and what a user reads when one fails.

#include <filesystem>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Scripts : WorldAs {
  /// What a postinst that runs `script` leaves in /result.
  std::string result_of(const std::string &script, const std::vector<std::string> &more = {}) {
    add(package("probe").script("postinst", "#!/bin/sh\nset -e\n{\n" + script + "\n} >/result\n"));
    std::vector<std::string> arguments = {"--variant", "essential", "--include", "probe"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Image made = read_tar(image(place(), arguments));
    return made["/result"].content;
  }
  std::string failure_with(const test::DebBuilder &added) {
    add(added);
    return failure(place(), {"-o", "x.tar", "--variant", "essential", "--include", added.name()});
  }
};
DEBROOT_AS_BOTH(Scripts);

TEST_P(Scripts, EnvironmentIsClean) {
  EXPECT_EQ(normal(result_of("env | sort")),
            "DEBCONF_NONINTERACTIVE_SEEN=true\n"
            "DEBIAN_FRONTEND=noninteractive\n"
            "DPKG_ADMINDIR=/var/lib/dpkg\n"
            "DPKG_FRONTEND_LOCKED=true\n"
            "DPKG_MAINTSCRIPT_ARCH=ARCH\n"
            "DPKG_MAINTSCRIPT_DEBUG=0\n"
            "DPKG_MAINTSCRIPT_NAME=postinst\n"
            "DPKG_MAINTSCRIPT_PACKAGE=probe\n"
            "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1\n"
            "DPKG_ROOT=\n"
            "DPKG_RUNNING_VERSION=\n"
            "HOME=/root\n"
            "LANG=C.UTF-8\n"
            "LANGUAGE=C.UTF-8\n"
            "LC_ALL=C.UTF-8\n"
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
            "PWD=/\n"
            "SHLVL=1\n"
            "SOURCE_DATE_EPOCH=1577836800\n");
}

TEST_P(Scripts, DescriptorsOfTheBuilderAreNotThere) {
  EXPECT_EQ(result_of("for fd in /proc/self/fd/*; do echo \"${fd##*/}\"; done | grep -v '^1[0-9]$'"),
            "0\n"
            "1\n"
            "2\n"
            "3\n");
}

TEST_P(Scripts, ToolsOfUnknownBytesRunThemselves) {
  add(package("tools")
          .file("/usr/bin/dpkg-maintscript-helper", "#!/bin/sh\necho own \"$0\" \"$@\"\n", {.mode = 0755})
          .file("/usr/share/dpkg/sh/dpkg-error.sh", ""));
  add(package("probe").depends("tools").script(
      "postinst", "#!/bin/sh\ndpkg-maintscript-helper rm_conffile /etc/x 1.0 -- \"$@\" >/result\n"));
  Image made = read_tar(image(place(), {"--variant", "essential", "--include", "probe"}));
  EXPECT_EQ(made["/result"].content, "own /usr/bin/dpkg-maintscript-helper rm_conffile /etc/x 1.0 -- configure \n");
}

TEST_P(Scripts, NetworkIsAloneWithItsLoopback) {
  EXPECT_EQ(result_of("sed -n 's/^ *\\([^:]*\\):.*/\\1/p' /proc/net/dev"), "lo\n");
}

TEST_P(Scripts, NetworkOfTheHostOnRequest) {
  EXPECT_EQ(result_of("readlink /proc/self/ns/net", {"--script-network"}),
            std::filesystem::read_symlink("/proc/self/ns/net").string() + "\n");
}

TEST_P(Scripts, HostIsOutOfSight) {
  EXPECT_EQ(result_of("hostname; cat /proc/sys/kernel/domainname; id -u; id -G; umask; pwd; cat /proc/1/comm; "
                      "ls /tmp /run /home; cut -d' ' -f5 /proc/self/mountinfo | sort"),

            "debroot\n"
            "(none)\n"
            "0\n"
            "0\n"
            "0022\n"
            "/\n"
            "debroot-runner\n"
            "/home:\n"
            "\n"
            "/run:\n"
            "\n"
            "/tmp:\n"
            "/\n"
            "/dev\n"
            "/dev/full\n"
            "/dev/null\n"
            "/dev/pts\n"
            "/dev/random\n"
            "/dev/shm\n"
            "/dev/tty\n"
            "/dev/urandom\n"
            "/dev/zero\n"
            "/proc\n"
            "/proc/sys\n"
            "/sys\n");
}

TEST_P(Scripts, ProcessesOfTheHostAreOutOfSight) {
  EXPECT_EQ(result_of("for p in /proc/[0-9]*; do [ \"${p##*/}\" -lt 100 ] && echo yes || echo no; done | sort -u"),
            "yes\n");
}

TEST_P(Scripts, DevicesAreTheUsualFew) {
  EXPECT_EQ(result_of("ls /dev; echo text >/dev/null; head -c 4 /dev/zero | wc -c"),
            "fd\n"
            "full\n"
            "null\n"
            "ptmx\n"
            "pts\n"
            "random\n"
            "shm\n"
            "stderr\n"
            "stdin\n"
            "stdout\n"
            "tty\n"
            "urandom\n"
            "zero\n"
            "4\n");
}

TEST_P(Scripts, FailingPostinst) {
  EXPECT_EQ(failure_with(package("bad").script("postinst", "#!/bin/sh\necho one\necho two >&2\nexit 3\n")),
            "debroot: error: postinst of 'bad_1.0_ARCH' exited with status 3\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: one\n"
            "  output: two\n");
}

TEST_P(Scripts, FailingPreinst) {
  EXPECT_EQ(failure_with(package("bad").script("preinst", "#!/bin/sh\nexit 1\n")),
            "debroot: error: preinst of 'bad_1.0_ARCH' exited with status 1\n"
            "  while: unpacking the packages (state of this one: half-installed)\n"
            "  output: (none)\n");
}

TEST_P(Scripts, KilledPostinst) {
  EXPECT_EQ(failure_with(package("bad").script("postinst", "#!/bin/sh\nkill -SEGV $$\n")),
            "debroot: error: postinst of 'bad_1.0_ARCH' was killed by signal 11\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: (none)\n");
}

TEST_P(Scripts, ScriptWithoutInterpreter) {
  EXPECT_EQ(failure_with(package("bad").script("postinst", "#!/usr/bin/perl\nexit 0;\n")),
            "debroot: error: postinst of 'bad_1.0_ARCH' could not be started: its interpreter is not there\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: (none)\n");
}

TEST_P(Scripts, ScriptThatIsNoProgram) {
  EXPECT_EQ(failure_with(package("bad").control_file("postinst", std::string("\0\1\2 no program", 14), 0755)),
            "debroot: error: postinst of 'bad_1.0_ARCH' exited with status 127\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: /var/lib/dpkg/info/bad.postinst: line 1: \\x01\\x02: not found\n");
}

TEST_P(Scripts, LongOutputIsCutAtItsBeginning) {
  std::string shown;
  for (int i = 51; i <= 250; ++i) shown += "  output: " + std::to_string(i) + "\n";
  EXPECT_EQ(failure_with(package("bad").script("postinst", "#!/bin/sh\nseq 1 250\nexit 1\n")),
            "debroot: error: postinst of 'bad_1.0_ARCH' exited with status 1\n"
            "  while: configuring the packages (state of this one: half-configured)\n"
            "  output: (50 lines before these)\n" +
                shown);
}

}  // namespace
}  // namespace debroot::e2e
