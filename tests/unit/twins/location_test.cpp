#include "twins/location.hpp"

#include <gtest/gtest.h>

using namespace std::string_literals;

namespace debroot::twins {
namespace {

constexpr std::string_view kTuple = "x86_64-linux-gnu";

std::string relocated(std::string bytes, std::string_view interpreter = {}) {
  std::size_t size = bytes.size();
  EXPECT_TRUE(relocate(bytes, kTuple, interpreter));
  EXPECT_EQ(bytes.size(), size);
  return bytes;
}

TEST(Relocate, OverwritesTheLoader) {
  EXPECT_EQ(relocated("x/lib64/ld-linux-x86-64.so.2\0y"s, "/lib64/ld-linux-x86-64.so.2"),
            "x/dev/.debroot/ld.so\0\0\0\0\0\0\0\0\0y"s);
}

TEST(Relocate, OverwritesDirectoriesOfLibraries) {
  EXPECT_EQ(relocated("/lib/x86_64-linux-gnu\0"s), "/dev/.debroot/lib////\0"s);
  EXPECT_EQ(relocated("a:/lib/x86_64-linux-gnu/gconv\0"s), "a:/dev/.debroot/lib/////gconv\0"s);
}

TEST(Relocate, KeepsEveryEndOfAPathAPath) {
  // of "/usr/lib/x86_64-linux-gnu" a linker also makes "/lib/x86_64-linux-gnu"
  EXPECT_EQ(relocated("\0/usr/lib/x86_64-linux-gnu/perl\0"s),
            "\0/////dev/.debroot/lib/////perl\0"s.replace(1, 5, "/////"));
  EXPECT_EQ(relocated("\0/usr/lib/x86_64-linux-gnu\0"s).substr(5), "/dev/.debroot/lib////\0"s);
}

TEST(Relocate, LeavesOtherPathsAlone) {
  for (const char *path : {"/usr/local/lib/x86_64-linux-gnu", "/usr/lib/locale", "/lib/aarch64-linux-gnu", "/bin/sh"}) {
    EXPECT_EQ(relocated(path), path);
  }
}

TEST(Relocate, RefusesPathsThatAreTooShort) {
  std::string bytes = "/l/ld.so\0"s;
  EXPECT_FALSE(relocate(bytes, kTuple, "/l/ld.so"));
  bytes = "/lib/x/y";
  EXPECT_FALSE(relocate(bytes, "x", ""));
  EXPECT_EQ(bytes, "/lib/x/y");
}

TEST(Relocate, HasRoomForEveryArchitecture) {
  for (const char *architecture :
       {"amd64", "arm64", "armel", "armhf", "i386", "loong64", "ppc64el", "riscv64", "s390x"}) {
    auto tuple = library_tuple(architecture);
    ASSERT_TRUE(tuple) << architecture;
    std::string bytes = "/lib/" + std::string(*tuple);
    EXPECT_TRUE(relocate(bytes, *tuple, {})) << architecture;
    EXPECT_TRUE(bytes.starts_with("/dev/.debroot/lib")) << bytes;
  }
  EXPECT_FALSE(library_tuple("vax"));
}

TEST(BelowLibraries, KnowsBothLayouts) {
  EXPECT_EQ(below_libraries("/usr/lib/x86_64-linux-gnu/a/b.so", kTuple), "a/b.so");
  EXPECT_EQ(below_libraries("/lib/x86_64-linux-gnu/b.so", kTuple), "b.so");
  for (const char *path :
       {"/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu/", "/lib/x86_64-linux-gnux/b", "/lib/b.so"}) {
    EXPECT_FALSE(below_libraries(path, kTuple)) << path;
  }
}

}  // namespace
}  // namespace debroot::twins
