#include "twins/tools.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace debroot::twins {
namespace {

TEST(Tools, AreProgramsOfListedPackages) {
  EXPECT_TRUE(is_tool("coreutils", "9.1-1", "/bin/cp"));
  EXPECT_TRUE(is_tool("coreutils", "9.1-1", "/usr/bin/sort"));
  EXPECT_FALSE(is_tool("coreutils", "9.1-1", "/usr/libexec/coreutils/libstdbuf.so"));
  EXPECT_FALSE(is_tool("openssl", "3.0", "/usr/bin/openssl"));
  EXPECT_FALSE(has_tools("openssl"));
}

TEST(Tools, LeaveOutWhatMustKnowTheArchitecture) {
  for (const char *program : {"/bin/uname", "/usr/bin/arch", "/usr/bin/od", "/usr/bin/stdbuf"}) {
    EXPECT_FALSE(is_tool("coreutils", "9.1-1", program)) << program;
  }
  for (const char *program : {"/usr/bin/dpkg", "/usr/bin/dpkg-query", "/usr/bin/dpkg-trigger"}) {
    EXPECT_FALSE(is_tool("dpkg", "1.21.22", program)) << program;
  }
  EXPECT_TRUE(is_tool("dpkg", "1.21.22", "/usr/bin/update-alternatives"));
  EXPECT_FALSE(is_tool("passwd", "1:4.13", "/usr/sbin/useradd"));
  EXPECT_TRUE(is_tool("passwd", "1:4.13", "/usr/sbin/groupadd"));
  EXPECT_FALSE(is_tool("libc-bin", "2.36-9", "/sbin/ldconfig"));
  EXPECT_FALSE(is_tool("systemd", "252.39-1", "/usr/bin/systemd-detect-virt"));
}

TEST(Tools, MayBeToolsOnlyFromSomeVersionOn) {
  EXPECT_TRUE(is_tool("udev", "252.39-1~deb12u2", "/usr/bin/systemd-hwdb"));
  EXPECT_FALSE(is_tool("udev", "247.3-7+deb11u5", "/usr/bin/systemd-hwdb"));
  EXPECT_FALSE(is_tool("udev", "252.39-1~deb12u2", "/usr/bin/udevadm"));
}

TEST(Tools, MayBeToolsForSomeCallsOnly) {
  EXPECT_EQ(emulated_calls("dpkg", "/usr/bin/dpkg-query"), "");
  EXPECT_EQ(emulated_calls("passwd", "/usr/sbin/useradd"), "[ -e /var/log/lastlog ] || [ -e /var/log/faillog ]");
}

/// Whether a call with these arguments is left to the image's own program.
bool is_emulated(const std::string &package, const std::string &path, const std::string &arguments) {
  std::string command = fmt::format("set -- {}; {}", arguments, emulated_calls(package, path));
  return ::system(command.c_str()) == 0;
}

TEST(Tools, LookAtArguments) {
  EXPECT_FALSE(is_emulated("dpkg", "/usr/bin/dpkg", "--compare-versions 1 lt 2"));
  EXPECT_FALSE(is_emulated("dpkg", "/usr/bin/dpkg", "--validate-version -- 1"));
  EXPECT_TRUE(is_emulated("dpkg", "/usr/bin/dpkg", "--print-architecture"));
  EXPECT_TRUE(is_emulated("dpkg", "/usr/bin/dpkg", ""));
  EXPECT_FALSE(is_emulated("passwd", "/usr/sbin/usermod", "-c 'a user' -L messagebus"));
  EXPECT_TRUE(is_emulated("passwd", "/usr/sbin/usermod", "-u 104 x"));
  EXPECT_TRUE(is_emulated("passwd", "/usr/sbin/usermod", "-ou 104 x"));
  EXPECT_TRUE(is_emulated("passwd", "/usr/sbin/usermod", "--uid=104 x"));
}

TEST(Tools, KnowWhatPerlLoads) {
  EXPECT_TRUE(is_perl_library("liblocale-gettext-perl"));
  EXPECT_TRUE(is_perl_library("libperl5.36"));
  EXPECT_FALSE(is_perl_library("perl-base"));
  EXPECT_FALSE(is_perl_library("libc6"));
}

}  // namespace
}  // namespace debroot::twins
