/// Every value of --skip that the builder acts on, by what it leaves in the image or lets scripts see.

#include <unistd.h>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Skips : WorldAs {
  /// The essential set and hello, without `skip`.
  Image without(const std::string &skip, const std::vector<std::string> &more = {}) {
    std::vector<std::string> arguments = {"--variant", "essential", "--include", "hello", "--skip", skip};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return read_tar(image(place(), arguments));
  }
};
DEBROOT_AS_BOTH(Skips);

TEST_P(Skips, SetupMakesNoSkeleton) {
  Image bare = read_tar(image(place(), {"--variant", "custom", "--skip", "setup,update,cleanup"}));
  for (const auto &[path, entry] : bare) EXPECT_TRUE(path == "/" || path.starts_with("/dev")) << path;
  Image tree = read_tar(image(place(), {"--variant", "custom", "--include", "hello", "--skip", "setup"}));
  EXPECT_TRUE(tree.contains("/usr/share/hello/greeting"));
  EXPECT_TRUE(tree.contains("/var/lib/dpkg/status"));
  EXPECT_FALSE(tree.contains("/etc/fstab"));
  EXPECT_FALSE(tree.contains("/etc/apt/sources.list"));
  EXPECT_FALSE(tree.contains("/var/lib/dpkg/arch"));
}

TEST_P(Skips, UpdateReadsNoIndex) {
  Image tree = read_tar(image(place(), {"--variant", "custom", "--skip", "update,cleanup"}));
  EXPECT_TRUE(tree.contains("/etc/apt/sources.list"));
  EXPECT_TRUE(tree.contains("/var/lib/apt/lists/partial"));
  EXPECT_FALSE(tree.contains("/var/lib/apt/lists/lock"));
  EXPECT_FALSE(tree.contains("/var/cache/apt/archives"));
  EXPECT_EQ(failure(place(), {"-o", "y.tar", "--variant", "custom", "--include", "hello", "--skip", "update"}, 2),
            "debroot: error: cannot find package 'hello'\n");
}

TEST_P(Skips, MountsAreLeftOutOneByOne) {
  add(package("looker").script("postinst",
                               "#!/bin/sh\n"
                               "for d in proc sys dev; do test -z \"$(ls /$d)\" || echo $d; done >/result\n"));
  auto seen = [&](const std::string &skip) {
    return read_tar(image(place(), {"--variant", "essential", "--include", "looker", "--skip", skip}))["/result"]
        .content;
  };
  // root's device nodes are in the tree itself then
  std::string dev = GetParam() == As::root ? "dev\n" : "";
  EXPECT_EQ(seen("cleanup/run"), "proc\nsys\ndev\n");
  EXPECT_EQ(seen("chroot/mount"), dev);
  EXPECT_EQ(seen("chroot/mount/proc"), "sys\ndev\n");
  EXPECT_EQ(seen("chroot/mount/sys"), "proc\ndev\n");
  EXPECT_EQ(seen("chroot/mount/dev"), "proc\nsys\n" + dev);
}

TEST_P(Skips, ShimsAreLeftOut) {
  add(package("daemons").file("sbin/start-stop-daemon", "#!/bin/sh\necho the real one\n", {.mode = 0755}));
  // as mmdebstrap's, they are there when the first packages are extracted; dpkg then unpacks over the daemon's
  const char *hook =
      "{ ! grep -q real \"$1/sbin/start-stop-daemon\" || echo the real one; "
      "test ! -e \"$1/usr/sbin/policy-rc.d\" || echo policy; } >\"$1/result\"";
  auto seen = [&](const std::string &skip) {
    std::vector<std::string> line = {"--variant",      "custom", "--include", "base-files,shell,daemons",
                                     "--extract-hook", hook,     "--skip",    skip};
    return read_tar(image(place(), line))["/result"].content;
  };
  EXPECT_EQ(seen("cleanup/run"), "policy\n");
  EXPECT_EQ(seen("chroot/policy-rc.d"), "");
  EXPECT_EQ(seen("chroot/start-stop-daemon"), "the real one\npolicy\n");
}

TEST_P(Skips, DownloadsStay) {
  std::string archives = "/var/cache/apt/archives/";
  std::string rest = "_1.0_" + architecture() + ".deb";
  Image tree = without("cleanup/apt/cache");
  EXPECT_TRUE(tree.contains(archives + "hello" + rest));
  EXPECT_FALSE(tree.contains(archives + "base-files" + rest)) << "it was installed by dpkg alone";
  tree = without("cleanup/apt/cache,essential/unlink");
  EXPECT_TRUE(tree.contains(archives + "hello" + rest));
  EXPECT_TRUE(tree.contains(archives + "base-files" + rest));
  EXPECT_EQ(tree[archives + "shell" + rest].content, bytes_of(scratch("archive/pool/main/s/shell/shell" + rest)));
  tree = without("essential/unlink");
  EXPECT_FALSE(tree.contains(archives + "base-files" + rest)) << "the cache is cleaned";
}

TEST_P(Skips, IndexesStay) {
  for (const char *skip : {"cleanup/apt/lists", "cleanup/apt", "cleanup"}) {
    std::vector<std::string> lists;
    for (const auto &[path, entry] : without(skip)) {
      if (path.starts_with("/var/lib/apt/lists/") && !entry.content.empty()) lists.push_back(path);
    }
    ASSERT_EQ(lists.size(), 2U) << skip;
    EXPECT_THAT(lists[0], testing::EndsWith("_dists_tiny_InRelease")) << skip;
    EXPECT_THAT(lists[1], testing::EndsWith("_dists_tiny_main_binary-" + architecture() + "_Packages")) << skip;
  }
}

TEST_P(Skips, EachPartOfTheCleanUpCanBeLeftOut) {
  add(package("litter").script(
      "postinst",
      "#!/bin/sh\n"
      "mkdir -p /var/lib/dbus /var/cache/ldconfig\n"
      "for f in /run/x /tmp/x /var/log/dpkg.log /var/log/apt/history.log /var/log/apt/term.log "
      "/var/log/apt/eipp.log.xz /var/log/alternatives.log /var/cache/ldconfig/aux-cache "
      "/var/lib/dbus/machine-id /etc/machine-id; do echo litter >$f; done\n"));
  const std::vector<std::string> kLogs = {"/var/cache/ldconfig/aux-cache",
                                          "/var/lib/dbus/machine-id",
                                          "/var/log/alternatives.log",
                                          "/var/log/apt/eipp.log.xz",
                                          "/var/log/apt/history.log",
                                          "/var/log/apt/term.log",
                                          "/var/log/dpkg.log"};
  std::vector<std::string> reproducible = kLogs;
  reproducible.insert(reproducible.begin(), "/etc/machine-id");
  std::vector<std::string> all = {"/etc/machine-id", "/run/x", "/tmp/x"};
  all.insert(all.end(), kLogs.begin(), kLogs.end());
  const std::vector<std::pair<std::string, std::vector<std::string>>> kLeft = {
      {"cleanup", all},
      {"cleanup/run", {"/run/x"}},
      {"cleanup/tmp", {"/tmp/x"}},
      {"cleanup/reproducible", reproducible},
      {"cleanup/reproducible/machine-id", {"/etc/machine-id"}}};
  for (const auto &[skip, left] : kLeft) {
    std::vector<std::string> found;
    for (const auto &[path, entry] :
         read_tar(image(place(), {"--variant", "essential", "--include", "litter", "--skip", skip}))) {
      if (entry.content == "litter\n") found.push_back(path);
    }
    EXPECT_THAT(found, testing::UnorderedElementsAreArray(left)) << skip;
  }
}

TEST_P(Skips, BuildSettingsStay) {
  for (const char *skip : {"cleanup/mmdebstrap", "cleanup"}) {
    Image tree = without(skip);
    EXPECT_TRUE(tree.contains("/etc/apt/apt.conf.d/00mmdebstrap")) << skip;
    EXPECT_TRUE(tree.contains("/etc/apt/apt.conf.d/99debconf")) << skip;
  }
  EXPECT_FALSE(without("cleanup/run").contains("/etc/apt/apt.conf.d/00mmdebstrap"));
}

TEST_P(Skips, EmulationIsNotAskedFor) {
  // no qemu of Debian runs its programs
  std::vector<std::string> line = {"-o", "y.tar", "--variant", "custom", "--arch", "x32", "--skip", "update"};
  EXPECT_THAT(failure(place(), line), testing::HasSubstr("x32"));
  line.back() = "update,check/qemu";
  EXPECT_EQ(build(place(), line).status, 0);
  EXPECT_EQ(read_tar(bytes_of(place().out("y.tar")))["/var/lib/dpkg/arch"].content, "x32\n");
}

}  // namespace
}  // namespace debroot::e2e
