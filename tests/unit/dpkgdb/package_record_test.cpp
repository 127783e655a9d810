#include "dpkgdb/package_record.hpp"

#include <gtest/gtest.h>

#include "support/thrown_error.hpp"

namespace debroot::dpkgdb {
namespace {

PackageRecord record_of(const std::string &control) {
  PackageRecord record;
  record.control = deb822::Stanza::parse(control);
  return record;
}

constexpr const char *kControl =
    "Package: p\nVersion: 0:1.0-1\nArchitecture: amd64\nPriority: OPTIONAL\nX-Own: kept\n"
    "Depends: a|b , c(>=1)\nMulti-Arch: no\nEssential: no\nFilename: pool/x\nSize: 3\ndescription: short\n long\n";

TEST(PackageRecord, FieldsInDpkgsOrderAndForm) {
  PackageRecord record = record_of(kControl);
  record.state = State::installed;
  record.config_version = "1.0-1";
  EXPECT_EQ(record.stanza(),
            "Package: p\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1.0-1\n"
            "Depends: a | b, c (>= 1)\nDescription: short\n long\nX-Own: kept\n");
}

TEST(PackageRecord, StateDecidesWhatIsWritten) {
  PackageRecord record = record_of("Package: p\nVersion: 2\nArchitecture: all\n");
  record.config_version = "1";
  for (State state :
       {State::config_files, State::half_installed, State::unpacked, State::half_configured, State::triggers_awaited}) {
    record.state = state;
    EXPECT_NE(record.stanza().find("Config-Version: 1\n"), std::string::npos) << state_name(state);
  }
  for (State state : {State::not_installed, State::triggers_pending, State::installed}) {
    record.state = state;
    EXPECT_EQ(record.stanza().find("Config-Version"), std::string::npos) << state_name(state);
  }
}

TEST(PackageRecord, ConffilesAndTriggers) {
  PackageRecord record = record_of("Package: p\nVersion: 2\nArchitecture: all\nDescription: d\n");
  record.state = State::triggers_awaited;
  record.want = Want::hold;
  record.flag = Flag::reinstreq;
  record.conffiles = {
      {"/etc/a b", "0123", false, false}, {"/etc/c", "newconffile", true, false}, {"/etc/d", "x", false, true}};
  record.triggers_pending = {"/usr/lib", "ldconfig"};
  record.triggers_awaited = {"libc-bin", "lib:amd64"};
  std::string text = record.stanza();
  EXPECT_EQ(
      text,
      "Package: p\nStatus: hold reinstreq triggers-awaited\nArchitecture: all\nVersion: 2\nConffiles:\n /etc/a b 0123\n"
      " /etc/c newconffile obsolete\n /etc/d x remove-on-upgrade\nDescription: d\n"
      "Triggers-Pending: /usr/lib ldconfig\nTriggers-Awaited: libc-bin lib:amd64\n");
  EXPECT_EQ(PackageRecord::parse(text).stanza(), text);
  EXPECT_EQ(PackageRecord::parse(text).conffiles[0].path, "/etc/a b");
}

TEST(PackageRecord, ConffilePathsThatHoldTheirHash) {
  PackageRecord record = record_of("Package: p\nVersion: 2\nArchitecture: all\n");
  record.state = State::installed;
  record.conffiles = {{"/etc/abc", "abc", false, false}};
  EXPECT_EQ(PackageRecord::parse(record.stanza()).conffiles[0].path, "/etc/abc");
}

TEST(PackageRecord, ConfigVersionIsImpliedOnlyWhereDpkgImpliesIt) {
  auto version_in = [](const char *state) {
    return PackageRecord::parse(std::string("Package: p\nStatus: install ok ") + state +
                                "\nVersion: 3\nArchitecture: all\n")
        .config_version;
  };
  EXPECT_EQ(version_in("installed"), "3");
  EXPECT_EQ(version_in("triggers-pending"), "3");
  EXPECT_EQ(version_in("triggers-awaited"), "");
  EXPECT_EQ(version_in("unpacked"), "");
}

TEST(PackageRecord, BeforeItIsUnpackedLittleIsKnown) {
  PackageRecord record =
      record_of("Package: p\nVersion: 2\nArchitecture: all\nDepends: x\nSection: s\nPriority: extra\n");
  record.state = State::half_installed;
  record.conffiles = {{"/etc/x", "newconffile", false, false}};
  EXPECT_EQ(
      record.begun().stanza(),
      "Package: p\nStatus: install ok half-installed\nPriority: extra\nSection: s\nArchitecture: all\nVersion: 2\n");
}

TEST(PackageRecord, InfoFilesCarryTheArchitectureOfSharedPackages) {
  EXPECT_EQ(record_of("Package: p\nArchitecture: amd64\nMulti-Arch: same\n").info_name(), "p:amd64");
  EXPECT_EQ(record_of("Package: p\nArchitecture: amd64\nMulti-Arch: foreign\n").info_name(), "p");
}

TEST(PackageRecord, WhatCannotBeRead) {
  auto refusal = [](const std::string &text) { return test::thrown_by([&] { return PackageRecord::parse(text); }); };
  EXPECT_EQ(refusal("Package: p\n"), "'' is no Status field");
  EXPECT_EQ(refusal("Package: p\nStatus: install ok\n"), "'install ok' is no Status field");
  EXPECT_EQ(refusal("Package: p\nStatus: install ok broken\n"), "'broken' is no word of a Status field");
  EXPECT_EQ(refusal("Package: p\nStatus: want ok installed\n"), "'want' is no word of a Status field");
  EXPECT_EQ(refusal("Package: p\nStatus: install ok installed\nConffiles:\n /etc/x\n"),
            "'/etc/x' is no line of a Conffiles field");
}

}  // namespace
}  // namespace debroot::dpkgdb
