#include "twins/elf_file.hpp"

#include <gmock/gmock.h>

#include "elf_bytes.hpp"

namespace debroot::twins {
namespace {

using test::make_elf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const sandbox::ElfIdentity kAmd64 = *sandbox::elf_identity("amd64");

TEST(ElfFile, ReadsAProgram) {
  auto elf = read_elf(make_elf({"/lib64/ld.so", {"libc.so.6", "libz.so.1"}}), kAmd64);
  ASSERT_TRUE(elf);
  EXPECT_EQ(elf->interpreter, "/lib64/ld.so");
  EXPECT_THAT(elf->needed, ElementsAre("libc.so.6", "libz.so.1"));
}

TEST(ElfFile, ReadsALibrary) {
  auto elf = read_elf(make_elf({}), kAmd64);
  ASSERT_TRUE(elf);
  EXPECT_EQ(elf->interpreter, "");
  EXPECT_THAT(elf->needed, IsEmpty());
}

TEST(ElfFile, RefusesOtherMachinesAndOtherFiles) {
  EXPECT_FALSE(read_elf(make_elf({.machine = EM_AARCH64}), kAmd64));
  EXPECT_FALSE(read_elf("#!/bin/sh\n", kAmd64));
  EXPECT_FALSE(read_elf("", kAmd64));
  EXPECT_FALSE(has_identity("\177ELF", kAmd64));
  EXPECT_TRUE(has_identity(make_elf({.machine = EM_AARCH64}), *sandbox::elf_identity("arm64")));
}

TEST(ElfFile, RefusesTablesThatPointOutside) {
  std::string whole = make_elf({"/lib64/ld.so", {"libc.so.6"}});
  // whichever byte it ends at, nothing is read behind the end
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto elf = read_elf(std::string_view(whole).substr(0, size), kAmd64);
    EXPECT_TRUE(!elf || elf->needed.size() <= 1) << size;
  }
  EXPECT_FALSE(read_elf(std::string_view(whole).substr(0, whole.size() - 40), kAmd64));
}

}  // namespace
}  // namespace debroot::twins
