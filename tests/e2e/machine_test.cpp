/// The finished tree: customisations, and a dpkg database that dpkg itself finds nothing wrong with.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

struct Machine : WorldAs {
  /// Stands for systemd: what set-up calls, and a trace of how.
  void add_systemd() {
    add(package("systemd")
            .field("Priority", "important")
            .file("lib/systemd/systemd-networkd", "", {.mode = 0755})
            .file("bin/systemctl", "#!/bin/sh\necho \"$@\" >>/var/log/systemctl\n", {.mode = 0755}));
    add(package("dbus"));
  }
  Image made(const std::vector<std::string> &more) { return read_tar(image(place(), more)); }
};
DEBROOT_AS_BOTH(Machine);

TEST_P(Machine, HasNetworkAndBusByDefault) {
  add_systemd();
  Image tree = made({});
  EXPECT_EQ(tree["/var/log/systemctl"].content, "enable systemd-networkd.service systemd-resolved.service\n");
  EXPECT_EQ(tree["/etc/resolv.conf"].target, "../run/systemd/resolve/stub-resolv.conf");
  EXPECT_THAT(tree["/var/lib/dpkg/status"].content, testing::HasSubstr("Package: dbus\n"));
  EXPECT_FALSE(tree.contains("/etc/hostname"));
}

TEST_P(Machine, FormerInterfacesAreSaved) {
  add_systemd();
  add(package("ifaces").field("Priority", "important").file("etc/network/interfaces", "auto lo\n"));
  Image tree = made({});
  EXPECT_FALSE(tree.contains("/etc/network/interfaces"));
  EXPECT_EQ(tree["/etc/network/interfaces.save"].content, "auto lo\n");
}

TEST_P(Machine, HasTheNameAskedFor) {
  add_systemd();
  Image tree = made({"--hostname", "box"});
  EXPECT_EQ(tree["/etc/hostname"].content, "box\n");
  EXPECT_EQ(tree["/etc/hosts"].content,
            "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n"
            "ff02::1\t\tip6-allnodes\nff02::2\t\tip6-allrouters\n127.0.1.1\tbox\n");
}

TEST_P(Machine, PlainHasNothingOfItsOwn) {
  add_systemd();
  Image tree = made({"--plain"});
  EXPECT_FALSE(tree.contains("/var/log/systemctl"));
  EXPECT_FALSE(tree.contains("/etc/resolv.conf"));
  EXPECT_THAT(tree["/var/lib/dpkg/status"].content, testing::Not(testing::HasSubstr("Package: dbus\n")));
}

TEST_P(Machine, NetworkNeedsSystemd) {
  EXPECT_EQ(failure(place(), {"-o", "x.tar"}, 2),
            "debroot: error: cannot set up systemd-networkd: package 'systemd' is not among those chosen\n"
            "  try: --network none, or --include systemd\n");
}

TEST_P(Machine, IfupdownNeedsItsPackage) {
  add_systemd();
  EXPECT_EQ(failure(place(), {"-o", "x.tar", "--network", "ifupdown"}, 2),
            "debroot: error: cannot set up ifupdown: package 'ifupdown' is not among those chosen\n"
            "  try: --network none, or --include ifupdown\n");
}

TEST_P(Machine, IfupdownAsksForAnAddress) {
  add_systemd();
  add(package("ifupdown").file("sbin/ifup", "", {.mode = 0755}));
  Image tree = made({"--network", "ifupdown"});
  EXPECT_EQ(tree["/etc/network/interfaces.d/host0"].content, "auto host0\niface host0 inet dhcp\n");
  EXPECT_EQ(tree["/etc/network/interfaces"].content,
            "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n");
}

TEST_P(Machine, TriggersRunWhenFilesArrive) {
  add(package("watcher")
          .field("Essential", "yes")
          .triggers("interest-noawait /usr/share/hello\n")
          .script("postinst", "#!/bin/sh\necho \"$@\" >>/log\n"));
  EXPECT_EQ(made({"--variant", "essential", "--include", "hello"})["/log"].content,
            "configure \ntriggered /usr/share/hello\n");
}

TEST_P(Machine, DiversionsAreFollowed) {
  add(package("diverter")
          .field("Essential", "yes")
          .script("preinst",
                  "#!/bin/sh\nprintf '/usr/share/hello/greeting\\n/usr/share/hello/greeting.real\\n"
                  "diverter\\n' >>/var/lib/dpkg/diversions\n"));
  Image tree = made({"--variant", "essential", "--include", "hello"});
  EXPECT_FALSE(tree.contains("/usr/share/hello/greeting"));
  EXPECT_EQ(tree["/usr/share/hello/greeting.real"].content, "hello\n");
}

TEST_P(Machine, ConffilesAreRecordedAndKept) {
  add(package("conf").conffile("etc/conf", "packaged\n"));
  EXPECT_THAT(made({"--variant", "essential", "--include", "conf"})["/var/lib/dpkg/status"].content,
              testing::HasSubstr("Conffiles:\n /etc/conf "));
  std::vector<std::string> before = {"--variant", "essential",        "--include",
                                     "conf",      "--essential-hook", "echo mine >\"$1\"/etc/conf"};
  std::vector<std::string> refused = before;
  refused.insert(refused.end(), {"-o", "x.tar"});
  EXPECT_EQ(failure(place(), refused),
            "debroot: error: conffile '/etc/conf' of 'conf_1.0_ARCH' is already there and differs from the package's\n"
            "  try: --dpkgopt=force-confold keeps what is there, --dpkgopt=force-confnew takes the package's\n");
  std::vector<std::string> kept = before;
  kept.insert(kept.end(), {"--dpkgopt", "force-confold"});
  EXPECT_EQ(made(kept)["/etc/conf"].content, "mine\n");
  std::vector<std::string> replaced = before;
  replaced.insert(replaced.end(), {"--dpkgopt", "force-confnew"});
  EXPECT_EQ(made(replaced)["/etc/conf"].content, "packaged\n");
}

TEST_P(Machine, DpkgFindsNothingWrong) {
  if (::access("/usr/bin/dpkg", X_OK) != 0) GTEST_SKIP() << "needs dpkg";
  add_systemd();
  add(package("watcher").triggers("interest /usr/share/hello\n").script("postinst", "#!/bin/sh\nexit 0\n"));
  add(package("conf").conffile("etc/conf", "packaged\n").without_md5sums().file("usr/share/conf/data", "data\n"));
  std::string bytes = image(place(), {"--include", "watcher,hello,conf"});
  unpack_tar(bytes, scratch("tree"));
  for (const char *question : {"--audit", "--verify"}) {
    Command line;
    line.argv = {"/usr/bin/dpkg", "--root=" + scratch("tree"), question};
    line.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}};
    Finished finished = run(line);
    EXPECT_EQ(finished.out + finished.err, "") << question;
    EXPECT_EQ(finished.status, 0) << question;
  }
}

}  // namespace
}  // namespace debroot::e2e
