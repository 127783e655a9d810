/// Same inputs, same bytes: nothing of the host, the caller or the moment reaches the image.

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.hpp"
#include "e2e/world.hpp"

namespace debroot::e2e {
namespace {

/// Packages whose scripts look around and write down what they see.
struct SameBytes : World {
  void SetUp() override {
    World::SetUp();
    if (IsSkipped()) return;
    add(package("witness")
            .field("Priority", "important")
            .depends("hello")
            .triggers("interest-noawait /usr/share/hello\n")
            .conffile("etc/witness.conf", "a=1\n")
            .file("usr/lib/witness/suid", "x", {.mode = 04755, .gid = 42})
            .fifo("run/pipe")
            .symlink("usr/lib/witness/link", "suid")
            .hard_link("usr/lib/witness/hard", "usr/lib/witness/suid")
            .script("postinst",
                    "#!/bin/sh\nset -e\n{ echo \"$@\"; env | sort; umask; hostname; ls / /etc; } >>/var/log/witness\n"
                    "mkdir -p /var/lib/witness/made; touch /var/lib/witness/made/now\n"));
    for (int i = 0; i < 20; ++i) {
      std::string name = "filler" + std::to_string(i);
      add(package(name).field("Priority", "important").file("usr/share/" + name + "/text", std::string(20'000, 'x')));
    }
  }
  /// Fails with a list of the entries that differ, not only with "the bytes differ".
  void expect_same(const std::string &bytes, const std::string &reference) {
    EXPECT_EQ(difference(listing(read_tar(reference)), listing(read_tar(bytes))), "");
    EXPECT_TRUE(bytes == reference);
  }
  const std::vector<std::string> kPlain = {"--plain"};
};

TEST_F(SameBytes, WhateverTheNumberOfJobs) {
  std::string reference = image({"--plain", "--jobs", "1"});
  expect_same(image({"--plain", "--jobs", "2"}), reference);
  expect_same(image({"--plain", "--jobs", "7"}), reference);
}

TEST_F(SameBytes, WhateverTheUser) {
  auto user = ordinary_account();
  if (::geteuid() != 0 || !user) GTEST_SKIP() << "needs root and an ordinary account with subordinate ids";
  expect_same(image(place_of(*user), kPlain), image(kPlain));
}

TEST_F(SameBytes, WhateverTheCacheHolds) {
  std::string cold = image(kPlain);
  std::size_t asked = server().log().size();
  expect_same(image(kPlain), cold);
  EXPECT_LT(server().log().size(), asked + 5) << "a warm cache asks for little more than InRelease";
  asked = server().log().size();
  expect_same(image({"--plain", "--offline"}), cold);
  EXPECT_EQ(server().log().size(), asked);
  expect_same(image({"--plain", "--no-cache"}), cold);
}

TEST_F(SameBytes, WhateverTheCaller) {
  std::string reference = image(kPlain);
  Command line = build_command(here(), {"-o", "image.tar", "--plain"});
  line.environment["LC_ALL"] = "tr_TR.UTF-8";
  line.environment["LANG"] = "ja_JP.UTF-8";
  line.environment["TZ"] = "Pacific/Kiritimati";
  line.environment["HOME"] = "/nonexistent";
  line.environment["USER"] = "somebody";
  line.environment["DPKG_ROOT"] = "/nonexistent";
  line.environment["DPKG_MAINTSCRIPT_NAME"] = "nonsense";
  line.environment["DEB_BUILD_OPTIONS"] = "nocheck";
  line.environment["http_proxy"] = "";
  line.in_the_child = [] {
    ::umask(0077);
    if (::geteuid() == 0 && (::unshare(CLONE_NEWUTS) != 0 || ::sethostname("another", 7) != 0)) {
      throw std::runtime_error("cannot set a host name");
    }
  };
  Finished finished = finish(here(), line);
  EXPECT_EQ(finished.err, "");
  expect_same(bytes_of(here().out("image.tar")), reference);
}

TEST_F(SameBytes, OnDiskAsInMemory) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to pretend that memory is short";
  std::string reference = image(kPlain);
  put_file(scratch("meminfo"), "MemAvailable: 1000 kB\n");
  Command line = build_command(here(), {"-o", "image.tar", "--plain"});
  line.in_the_child = [from = scratch("meminfo")] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(from.c_str(), "/proc/meminfo", nullptr, MS_BIND, nullptr) != 0) {
      throw std::runtime_error("cannot cover /proc/meminfo");
    }
  };
  Process process(line);
  // a tree in memory would be out of sight
  std::string tmp = here().tmp();
  EXPECT_TRUE(wait_until(
      [&] {
        std::error_code failure;
        for (const auto &entry : std::filesystem::directory_iterator(tmp, failure)) {
          if (std::filesystem::exists(entry.path() / "root", failure)) return true;
        }
        return false;
      },
      10'000));
  Finished finished = process.wait();
  EXPECT_EQ(finished.status, 0) << finished.err;
  expect_nothing_left(here(), {"image.tar"});
  expect_same(bytes_of(here().out("image.tar")), reference);
}

TEST_F(SameBytes, TwoBuildsAtOnceOnOneCache) {
  Process first(build_command(here(), {"-o", "first.tar", "--plain"}));
  Process second(build_command(here(), {"-o", "second.tar", "--plain"}));
  EXPECT_EQ(first.wait().status, 0);
  EXPECT_EQ(second.wait().status, 0);
  expect_same(bytes_of(here().out("second.tar")), bytes_of(here().out("first.tar")));
  expect_nothing_left(here(), {"first.tar", "second.tar"});
}

TEST_F(SameBytes, EpochBoundsEveryTime) {
  Image derived = read_tar(image(kPlain));
  EXPECT_EQ(derived["/var/lib/witness/made/now"].mtime, kReleaseDate);
  Command line = build_command(here(), {"-o", "image.tar", "--plain"});
  line.environment["SOURCE_DATE_EPOCH"] = "1500000000";
  EXPECT_EQ(finish(here(), line).err, "");
  Image given = read_tar(bytes_of(here().out("image.tar")));
  for (const auto &[path, entry] : given) EXPECT_LE(entry.mtime, 1'500'000'000) << path;
  EXPECT_THAT(given["/var/log/witness"].content, testing::HasSubstr("SOURCE_DATE_EPOCH=1500000000\n"));
}

TEST_F(SameBytes, EpochThatIsNoNumber) {
  Command line = build_command(here(), {"-o", "image.tar", "--plain"});
  line.environment["SOURCE_DATE_EPOCH"] = "yesterday";
  EXPECT_EQ(failure_of(here(), line, 2),
            "debroot: error: SOURCE_DATE_EPOCH is no number of seconds: 'yesterday'\n"
            "  try: unset it, or set it to a time such as the output of 'date +%s'\n");
}

}  // namespace
}  // namespace debroot::e2e
