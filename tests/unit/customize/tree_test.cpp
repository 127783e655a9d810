#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "customize/cleanup.hpp"
#include "customize/machine.hpp"
#include "customize/resolver.hpp"
#include "customize/shims.hpp"
#include "support/scratch_root.hpp"
#include "support/thrown_error.hpp"

namespace debroot::customize {
namespace {

using test::ScratchRoot;
using test::thrown_by;
using Names = std::vector<std::string>;

/// A tree as a build leaves it before it is cleaned.
struct DirtyTree {
  DirtyTree() {
    for (const char *path : {"/var/lib/apt/lists/lock",
                             "/var/lib/apt/lists/partial/x",
                             "/var/lib/apt/lists/deb_Packages",
                             "/var/lib/apt/lists/auxfiles/y",
                             "/var/cache/apt/archives/lock",
                             "/var/cache/apt/archives/partial/z",
                             "/var/cache/apt/archives/a.deb",
                             "/var/cache/apt/pkgcache.bin",
                             "/var/cache/apt/srcpkgcache.bin",
                             "/var/log/dpkg.log",
                             "/var/log/apt/history.log",
                             "/var/log/apt/term.log",
                             "/var/log/apt/eipp.log.xz",
                             "/var/log/alternatives.log",
                             "/var/log/btmp",
                             "/var/cache/ldconfig/aux-cache",
                             "/var/lib/dbus/machine-id",
                             "/etc/machine-id",
                             "/run/lock/l",
                             "/run/utmp",
                             "/run/a/b",
                             "/tmp/t/u",
                             "/tmp/.hidden"}) {
      root.file(path, "content");
    }
  }
  ScratchRoot root;
};

TEST(Cleanup, TakesAwayWhatOnlyTheBuildNeeded) {
  DirtyTree tree;
  const base::RootDirectory &root = *tree.root;
  clean_up(root, {});
  EXPECT_EQ(root.list("/var/lib/apt/lists"), (Names{"lock", "partial"}));
  EXPECT_EQ(root.list("/var/cache/apt/archives"), (Names{"lock", "partial"}));
  EXPECT_EQ(root.list("/var/cache/apt"), (Names{"archives"}));
  EXPECT_EQ(root.list("/var/log"), (Names{"apt", "btmp"}));
  EXPECT_TRUE(root.list("/var/log/apt").empty());
  EXPECT_TRUE(root.list("/var/cache/ldconfig").empty());
  EXPECT_FALSE(root.exists("/var/lib/dbus/machine-id"));
  EXPECT_EQ(root.read("/etc/machine-id"), "");
  EXPECT_EQ(root.list("/run"), (Names{"lock"}));
  EXPECT_TRUE(root.list("/tmp").empty());
}

TEST(Cleanup, EachSkipKeepsItsPart) {
  auto left = [](const std::string &skip) {
    DirtyTree tree;
    clean_up(*tree.root, cleanup_options({skip}));
    Names out;
    for (const char *path :
         {"/var/lib/apt/lists/deb_Packages", "/var/lib/apt/lists/auxfiles/y", "/var/cache/apt/pkgcache.bin",
          "/var/log/dpkg.log", "/var/lib/dbus/machine-id", "/run/utmp", "/tmp/t"}) {
      if (tree.root->exists(path)) out.emplace_back(path);
    }
    if (tree.root->read("/etc/machine-id") != "") out.emplace_back("id");
    return out;
  };
  EXPECT_EQ(left("unknown"), Names{});
  EXPECT_EQ(left("cleanup/apt/lists"), (Names{"/var/lib/apt/lists/deb_Packages"}));
  EXPECT_EQ(left("cleanup/apt/cache"), (Names{"/var/cache/apt/pkgcache.bin"}));
  EXPECT_EQ(left("cleanup/apt"),
            (Names{"/var/lib/apt/lists/deb_Packages", "/var/lib/apt/lists/auxfiles/y", "/var/cache/apt/pkgcache.bin"}));
  EXPECT_EQ(left("cleanup/reproducible"), (Names{"/var/log/dpkg.log", "/var/lib/dbus/machine-id", "id"}));
  EXPECT_EQ(left("cleanup/reproducible/machine-id"), (Names{"id"}));
  EXPECT_EQ(left("cleanup/run"), (Names{"/run/utmp"}));
  EXPECT_EQ(left("cleanup/tmp"), (Names{"/tmp/t"}));
  EXPECT_EQ(left("cleanup").size(), 8U);
}

TEST(Cleanup, AnEmptyTreeIsClean) {
  ScratchRoot root;
  clean_up(*root, {});
  EXPECT_TRUE(root->list("/").empty());
}

TEST(Cleanup, LinksOutOfTheTreeAreNotFollowed) {
  ScratchRoot outside;
  outside.file("/keep", "x");
  ScratchRoot root;
  root->make_link("/tmp", outside.path());
  root->make_directories("/run");
  root->make_link("/run/out", outside.path());
  root->make_directories("/etc");
  root->make_link("/etc/machine-id", outside.at("keep"));
  clean_up(*root, {});
  EXPECT_EQ(root->read("/etc/machine-id"), "");
  EXPECT_EQ(outside->read("/keep"), "x");
}

TEST(Cleanup, RandomFilesAreNamed) {
  ScratchRoot root;
  for (const char *path : {"/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub", "/etc/ssh/sshd_config",
                           "/etc/ssl/private/ssl-cert-snakeoil.key", "/var/lib/systemd/random-seed"}) {
    root.file(path, "");
  }
  EXPECT_EQ(random_files(*root), (Names{"/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_rsa_key.pub",
                                        "/etc/ssl/private/ssl-cert-snakeoil.key", "/var/lib/systemd/random-seed"}));
}

TEST(Shims, StandInForProgramsAndGoAgain) {
  for (bool is_merged : {false, true}) {
    ScratchRoot root;
    root->make_directories("/usr/sbin");
    if (is_merged) {
      root->make_link("/sbin", "usr/sbin");
    } else {
      root->make_directories("/sbin");
    }
    root->write("/sbin/start-stop-daemon", "real", 0755);
    install_shims(*root);
    EXPECT_EQ(root->read("/sbin/start-stop-daemon.REAL"), "real");
    EXPECT_NE(root->read("/sbin/start-stop-daemon"), "real");
    EXPECT_EQ(root->status("/sbin/start-stop-daemon")->st_mode & 07777U, 0755U);
    EXPECT_EQ(root->read("/usr/sbin/policy-rc.d"), "#!/bin/sh\nexit 101\n");
    install_shims(*root);  // once more does no harm
    remove_shims(*root);
    EXPECT_EQ(root->read("/sbin/start-stop-daemon"), "real");
    EXPECT_EQ(root->list("/sbin"), (Names{"start-stop-daemon"}));
    EXPECT_EQ(root->exists("/usr/sbin/policy-rc.d"), false);
  }
}

TEST(Shims, NothingIsMadeWhereNothingIs) {
  ScratchRoot root;
  install_shims(*root);
  remove_shims(*root);
  EXPECT_TRUE(root->list("/").empty());
}

TEST(Machine, HostName) {
  ScratchRoot root;
  root->make_directories("/etc");
  set_hostname(*root, "box");
  EXPECT_EQ(root->read("/etc/hostname"), "box\n");
  EXPECT_EQ(root->read("/etc/hosts"),
            "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\nff02::1\t\tip6-allnodes\n"
            "ff02::2\t\tip6-allrouters\n127.0.1.1\tbox\n");
  root->write("/etc/hosts", "127.0.0.1 localhost");
  set_hostname(*root, "crate");
  EXPECT_EQ(root->read("/etc/hosts"), "127.0.0.1 localhost\n127.0.1.1\tcrate\n");
}

TEST(Machine, Networkd) {
  ScratchRoot root;
  root.file("/lib/systemd/systemd-networkd", "");
  root.file("/etc/network/interfaces", "old");
  Names ran;
  set_network(*root, Network::networkd, [&](const Names &argv) { ran = argv; });
  EXPECT_EQ(ran, (Names{"systemctl", "enable", "systemd-networkd.service", "systemd-resolved.service"}));
  EXPECT_EQ(root->list("/etc/network"), (Names{"interfaces.save"}));
  EXPECT_EQ(root->link_target("/etc/resolv.conf"), "../run/systemd/resolve/stub-resolv.conf");
}

TEST(Machine, NetworkdLeavesAResolverThatIsThere) {
  ScratchRoot root;
  root.file("/lib/systemd/systemd-networkd", "");
  root.file("/etc/resolv.conf", "mine");
  set_network(*root, Network::networkd, [](const Names &) {});
  EXPECT_EQ(root->read("/etc/resolv.conf"), "mine");
}

TEST(Machine, Ifupdown) {
  ScratchRoot root;
  root.file("/sbin/ifup", "");
  set_network(*root, Network::ifupdown, [](const Names &) { FAIL() << "nothing to run"; });
  EXPECT_EQ(root->read("/etc/network/interfaces"),
            "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n");
  EXPECT_EQ(root->read("/etc/network/interfaces.d/host0"), "auto host0\niface host0 inet dhcp\n");
}

TEST(Machine, WithoutTheProgramsItIsRefused) {
  ScratchRoot root;
  auto refusal = [&](Network network) {
    return thrown_by([&] {
      set_network(*root, network, [](const Names &) {});
      return 0;
    });
  };
  EXPECT_EQ(refusal(Network::networkd),
            "cannot set up systemd-networkd: the tree does not have it\n  try: --network none, or --include systemd");
  EXPECT_EQ(refusal(Network::ifupdown), "cannot set up ifupdown: the tree does not have it\n  try: --include ifupdown");
  EXPECT_EQ(refusal(Network::none), "nothing was thrown");
}

class ResolverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      host_ = base::read_file("/etc/resolv.conf");
    } catch (const Error &) {
      GTEST_SKIP() << "this host has no resolv.conf";
    }
    if (host_.empty()) GTEST_SKIP() << "this host's resolv.conf is empty";
    root_->make_directories("/etc");
  }
  std::string host_;
  ScratchRoot root_;
};

TEST_F(ResolverTest, IsThereOnlyWhileItLives) {
  {
    HostResolver resolver(*root_);
    EXPECT_EQ(root_->read("/etc/resolv.conf"), host_);
  }
  EXPECT_TRUE(root_->list("/etc").empty());
}

TEST_F(ResolverTest, APackagesFileComesBack) {
  root_->write("/etc/resolv.conf", "package's", 0600);
  HostResolver resolver(*root_);
  EXPECT_EQ(root_->read("/etc/resolv.conf"), host_);
  resolver.remove();
  EXPECT_EQ(root_->read("/etc/resolv.conf"), "package's");
  EXPECT_EQ(root_->status("/etc/resolv.conf")->st_mode & 07777U, 0600U);
}

TEST_F(ResolverTest, ALinkBelowRunIsServedAtItsTarget) {
  for (const char *target : {"../run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/stub-resolv.conf"}) {
    root_->make_link("/etc/resolv.conf", target);
    HostResolver resolver(*root_);
    EXPECT_EQ(root_->read("/run/systemd/resolve/stub-resolv.conf"), host_);
    EXPECT_EQ(root_->read("/etc/resolv.conf"), host_);
    resolver.remove();
    EXPECT_FALSE(root_->exists("/run/systemd/resolve/stub-resolv.conf"));
    EXPECT_EQ(root_->link_target("/etc/resolv.conf"), target);
    root_->remove_file("/etc/resolv.conf");
  }
}

TEST_F(ResolverTest, WhatAHookWroteStays) {
  HostResolver resolver(*root_);
  root_->write("/etc/resolv.conf", "hook's");
  resolver.remove();
  EXPECT_EQ(root_->read("/etc/resolv.conf"), "hook's");
}

TEST_F(ResolverTest, LinksToOtherPlacesAreLeftAlone) {
  root_->make_link("/etc/resolv.conf", "../var/resolv.conf");
  HostResolver resolver(*root_);
  EXPECT_FALSE(root_->exists("/var/resolv.conf"));
}

}  // namespace
}  // namespace debroot::customize
