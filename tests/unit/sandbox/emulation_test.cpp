#include "sandbox/emulation.hpp"

#include <gtest/gtest.h>

#include "base/fd.hpp"
#include "debian/architecture.hpp"
#include "debroot/error.hpp"
#include "sandbox/elf.hpp"

namespace debroot::sandbox {
namespace {

constexpr const char *kGoodHandler = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POCF\noffset 0\n";

Error error_of(const EmulationFacts &facts, std::string_view architecture = "arm64") {
  try {
    static_cast<void>(choose_emulation(architecture, facts));
  } catch (const Error &error) {
    return error;
  }
  return {ErrorKind::internal, "no error"};
}

TEST(KernelVersion, IsReadFromReleases) {
  EXPECT_EQ(parse_kernel_version("6.1.0-37-amd64"), (KernelVersion{6, 1}));
  EXPECT_EQ(parse_kernel_version("6.12+deb13"), (KernelVersion{6, 12}));
  EXPECT_EQ(parse_kernel_version("unknown"), KernelVersion{});
  EXPECT_LT((KernelVersion{6, 6}), kOwnBinfmtKernel);
  EXPECT_GE((KernelVersion{6, 12}), kOwnBinfmtKernel);
}

TEST(Magic, LeavesAbiAndKindOfExecutableOpen) {
  MagicAndMask little = magic_of(*elf_identity("arm64"));
  EXPECT_EQ(little.magic, std::string("\x7f"
                                      "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0",
                                      20));
  EXPECT_EQ(little.mask,
            std::string("\xff\xff\xff\xff\xff\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff", 20));
  MagicAndMask big = magic_of(*elf_identity("s390x"));
  EXPECT_EQ(big.magic, std::string("\x7f"
                                   "ELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x16",
                                   20));
  EXPECT_EQ(big.mask,
            std::string("\xff\xff\xff\xff\xff\xff\xff\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff", 20));
  EXPECT_EQ(magic_of(*elf_identity("armhf")).magic[4], 1);
}

TEST(Magic, ExistsForEveryKnownArchitecture) {
  for (const auto &info : debian::known_architectures()) EXPECT_TRUE(elf_identity(info.name)) << info.name;
  EXPECT_FALSE(elf_identity("vax"));
}

TEST(CountingProgram, BeginsWithItsMagicAndIsStatic) {
  for (std::string_view name : {"arm64", "amd64"}) {
    auto program = counting_program(name);
    ASSERT_TRUE(program);
    EXPECT_EQ(program->substr(0, 20), magic_of(*elf_identity(name)).magic);
    EXPECT_TRUE(is_static_program(*program));
  }
  EXPECT_FALSE(counting_program("sparc64"));
}

TEST(CountingProgram, OfTheHostCounts) {
  if (!counting_program(debian::host_architecture())) GTEST_SKIP() << "no program for this host's architecture";
  EXPECT_EQ(try_program(debian::host_architecture(), 5), 5);
  EXPECT_EQ(try_program(debian::host_architecture(), 42), 42);
}

TEST(StaticProgram, IsToldFromOthers) {
  EXPECT_FALSE(is_static_program("#!/bin/sh\n"));
  EXPECT_FALSE(is_static_program(""));
  EXPECT_FALSE(is_static_program(std::string_view("\177ELF\x02", 5)));
  EXPECT_FALSE(is_static_program(counting_program("amd64")->substr(0, 80)));
}

TEST(Handler, IsUsableWhenEnabledAndHeldOpen) {
  EXPECT_TRUE(is_usable_handler(kGoodHandler));
  EXPECT_FALSE(is_usable_handler("disabled\ninterpreter /x\nflags: F\n"));
  EXPECT_FALSE(is_usable_handler("enabled\ninterpreter /xF\nflags: POC\n"));
  EXPECT_FALSE(is_usable_handler(""));
}

TEST(Registration, IsOneLineOfEscapedBytes) {
  EXPECT_EQ(registration_line("debroot-armhf", "armhf", "/usr/bin/qemu-arm-static", "FP"),
            ":debroot-armhf:M::"
            "\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x28\\x00:"
            "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:"
            "/usr/bin/qemu-arm-static:FP");
}

TEST(ChooseEmulation, PrefersTheKernelThenItsOwnRegistration) {
  EmulationFacts facts{true, {6, 12}, "/usr/bin/qemu-aarch64-static", {}, kGoodHandler};
  EXPECT_EQ(choose_emulation("arm64", facts).kind, EmulationKind::native);
  facts.runs_natively = false;
  Emulation own = choose_emulation("arm64", facts);
  EXPECT_EQ(own.kind, EmulationKind::own_registration);
  EXPECT_EQ(own.interpreter, "/usr/bin/qemu-aarch64-static");
  EXPECT_TRUE(own.needs_own_binfmt());
}

TEST(ChooseEmulation, UsesTheHostsRegistrationOnOldKernels) {
  EmulationFacts facts{false, {6, 1}, "/usr/bin/qemu-aarch64-static", {}, kGoodHandler};
  Emulation emulation = choose_emulation("arm64", facts);
  EXPECT_EQ(emulation.kind, EmulationKind::host_registration);
  EXPECT_EQ(emulation.interpreter, "/usr/bin/qemu-aarch64-static");
  EXPECT_FALSE(emulation.needs_own_binfmt());
}

TEST(ChooseEmulation, SaysWhatToInstall) {
  Error error = error_of({false, {6, 12}, {}, "/usr/bin/qemu-aarch64", {}});
  EXPECT_EQ(error.kind(), ErrorKind::sandbox);
  EXPECT_EQ(error.message(), "programs of architecture 'arm64' cannot be run here");
  ASSERT_EQ(error.details().size(), 2U);
  EXPECT_EQ(error.details()[0].value,
            "/usr/bin/qemu-aarch64, which is linked to libraries that the image does not have");
  EXPECT_EQ(error.details()[1].value, "a static emulator qemu-aarch64-static or qemu-aarch64");
  EXPECT_EQ(error.hint(),
            "install it; on Debian 12 and older: apt install qemu-user-static; on newer: apt install qemu-user");
}

TEST(ChooseEmulation, SaysHowToRegisterOnOldKernels) {
  Error error = error_of({false, {6, 1}, "/usr/bin/qemu-aarch64-static", {}, {}});
  EXPECT_EQ(error.message(), "programs of architecture 'arm64' cannot be run here");
  EXPECT_EQ(error.details().at(0).value, "/usr/bin/qemu-aarch64-static, which is not registered on this host");
  EXPECT_EQ(error.hint(), "as root: apt install binfmt-support qemu-user-static, or: systemctl restart systemd-binfmt");
  error = error_of({false, {6, 1}, "/usr/bin/qemu-aarch64-static", {}, "disabled\n"});
  EXPECT_EQ(error.details().at(0).value, "a registration that is disabled or lacks the flag F");
}

TEST(ChooseEmulation, KnowsThatNothingEmulatesX32) {
  Error error = error_of({false, {6, 12}, {}, {}, {}}, "x32");
  EXPECT_EQ(error.hint(), "start the kernel with the parameter syscall.x32=y");
}

TEST(FindEmulation, RefusesUnknownArchitectures) {
  try {
    static_cast<void>(find_emulation("vax"));
    FAIL() << "found";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.message(), "unknown architecture 'vax'");
  }
  EXPECT_EQ(find_emulation(debian::host_architecture()).kind, EmulationKind::native);
}

}  // namespace
}  // namespace debroot::sandbox
