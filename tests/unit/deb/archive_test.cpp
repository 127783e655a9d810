#include "deb/archive.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/checked_deb.hpp"
#include "support/thrown_error.hpp"

namespace debroot::deb {
namespace {

using test::checked;
using test::DebBuilder;
using test::DebEntry;
using test::Packing;
using test::thrown_by;

constexpr std::array kPackings = {Packing::none, Packing::gzip,  Packing::xz,
                                  Packing::zstd, Packing::bzip2, Packing::lzma};

DebBuilder sample() { return DebBuilder("p", "1", "all").file("/opt/x", "text"); }

/// Entries as short lines, with the bytes of files.
std::vector<std::string> listing(const base::VerifiedFile &package) {
  std::vector<std::string> out;
  read_data(package, "p_1_all", [&](Entry &&entry, const BodyReader &body) {
    std::string line = fmt::format("{} {} {:o} {}:{} {}:{}", static_cast<int>(entry.kind), entry.path, entry.mode,
                                   entry.uid, entry.gid, entry.user, entry.group);
    if (!entry.link_target.empty()) line += " -> " + entry.link_target;
    if (entry.kind == EntryKind::file) {
      line += " ";
      for (std::string_view piece = body(); !piece.empty(); piece = body()) line += piece;
    }
    out.push_back(line);
  });
  return out;
}

std::string data_refusal(const DebBuilder &builder) {
  return thrown_by([&] { return listing(checked(builder)); });
}
std::string control_refusal(const std::string &bytes) {
  return thrown_by([&] { return read_control(checked(bytes), "p_1_all"); });
}
std::string control_refusal(const DebBuilder &builder) { return control_refusal(builder.bytes()); }

/// A package whose control.tar is `tar`.
std::string with_control(const std::string &tar) {
  return sample().control_packing(Packing::none).replace_member("control.tar", tar).bytes();
}

TEST(Deb, EveryCompressionOfBothMembers) {
  for (Packing control : kPackings) {
    for (Packing data : kPackings) {
      base::VerifiedFile package = checked(sample().control_packing(control).data_packing(data));
      EXPECT_EQ(read_control(package, "p").find("control")->content.substr(0, 11), "Package: p\n");
      EXPECT_EQ(listing(package).back(), "0 /opt/x 644 0:0 root:root text");
    }
  }
}

TEST(Deb, EveryKindOfEntry) {
  DebBuilder package("p", "1", "all");
  package.file("/f", "1", {.mode = 04755, .uid = 7, .gid = 8, .user = "u", .group = "g"}).hard_link("/h", "/f");
  package.symlink("/l", "../f").fifo("/p").device("/c", DebEntry::Type::character_device, 1, 3);
  package.device("/b", DebEntry::Type::block_device, 7, 300).directory("/d", {.mode = 01777});
  EXPECT_EQ(listing(checked(package)),
            (std::vector<std::string>{"1 / 755 0:0 root:root", "0 /f 4755 7:8 u:g 1", "3 /h 644 0:0 root:root -> /f",
                                      "2 /l 777 0:0 root:root -> ../f", "6 /p 644 0:0 root:root",
                                      "4 /c 644 0:0 root:root", "5 /b 644 0:0 root:root", "1 /d 1777 0:0 root:root"}));
  read_data(checked(package), "p", [](Entry &&entry, const BodyReader &) {
    EXPECT_EQ(entry.mtime, test::kBuilderTime);
    if (entry.path == "/b") {
      EXPECT_EQ(std::pair(entry.device_major, entry.device_minor), std::pair(7U, 300U));
    }
  });
}

TEST(Deb, LongNamesAndLargeFilesArriveWhole) {
  std::string name = "/" + std::string(120, 'd') + "/" + std::string(200, 'f');
  std::string content(3'000'000, 'x');
  std::vector<std::string> lines = listing(checked(DebBuilder("p", "1", "all").file(name, content)));
  EXPECT_TRUE(lines.back() == fmt::format("0 {} 644 0:0 root:root {}", name, content));
}

TEST(Deb, UnreadBodiesAreSkipped) {
  DebBuilder package = sample().file("/opt/y", std::string(500'000, 'y')).file("/opt/z", "z");
  std::vector<std::string> paths;
  read_data(checked(package), "p", [&](Entry &&entry, const BodyReader &) { paths.push_back(entry.path); });
  EXPECT_EQ(paths, (std::vector<std::string>{"/", "/opt", "/opt/x", "/opt/y", "/opt/z"}));
}

TEST(Deb, PathsAreNormal) {
  DebBuilder package = DebBuilder("p", "1", "all").without_implied_directories();
  for (const char *path : {"usr//bin/./x", "/etc/x", "./a/"}) {
    package.raw_entry({DebEntry::Type::directory, path, {}, {}, 0, 0, {}});
  }
  EXPECT_EQ(listing(checked(package)),
            (std::vector<std::string>{"1 /usr/bin/x 755 0:0 root:root", "1 /etc/x 755 0:0 root:root",
                                      "1 /a 755 0:0 root:root"}));
}

TEST(Deb, PathsThatLeadOutAreRefused) {
  for (const char *path : {"../x", "./usr/../../x", "/..", "a/.."}) {
    DebBuilder package = sample().raw_entry({DebEntry::Type::file, path, "x", {}, 0, 0, {}});
    EXPECT_EQ(data_refusal(package),
              fmt::format("cannot read package 'p_1_all': entry '{}' leads out of the root", path));
  }
  DebBuilder link = sample().raw_entry({DebEntry::Type::hard_link, "./x", {}, "../etc/passwd", 0, 0, {}});
  EXPECT_EQ(data_refusal(link), "cannot read package 'p_1_all': entry '../etc/passwd' leads out of the root");
}

TEST(Deb, MembersWithAnUnderscoreAreSkipped) {
  std::string bytes = sample().bytes();
  std::string extra = test::make_ar_member("_gpgbuilder", "signature!");
  std::size_t behind_format = std::string(test::kArMagic).size() + 60 + 4;
  bytes.insert(behind_format, extra);
  EXPECT_NE(read_control(checked(bytes), "p").find("control"), nullptr);
  EXPECT_EQ(listing(checked(bytes)).size(), 3U);
}

TEST(Deb, StrangeArchivesAreRefused) {
  EXPECT_EQ(control_refusal(""), "cannot read package 'p_1_all': unrecognized archive format");
  EXPECT_EQ(control_refusal("no archive at all, but long enough to look at"),
            "cannot read package 'p_1_all': unrecognized archive format");
  EXPECT_EQ(control_refusal(std::string(test::kArMagic) + test::make_ar_member("control.tar", "x")),
            "cannot read package 'p_1_all': first member is 'control.tar', not 'debian-binary'");
  EXPECT_EQ(control_refusal(sample().format_version("3.0\n")),
            "cannot read package 'p_1_all': its format is '3.0', only 2.x is known");
  EXPECT_EQ(control_refusal(sample().replace_member("control.tar.xz", std::nullopt)),
            "cannot read package 'p_1_all': unexpected member 'data.tar.xz' before 'control.tar'");
  EXPECT_EQ(data_refusal(sample().replace_member("data.tar.xz", std::nullopt)),
            "cannot read package 'p_1_all': it has no member 'data.tar'");
}

TEST(Deb, EveryTruncationIsRefused) {
  std::string whole = sample().bytes();
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    base::VerifiedFile cut = checked(whole.substr(0, size));
    std::string message = thrown_by([&] {
      static_cast<void>(read_control(cut, "p_1_all"));
      return listing(cut);
    });
    ASSERT_EQ(message.substr(0, 29), "cannot read package 'p_1_all'")
        << size << " of " << whole.size() << ": " << message;
  }
}

TEST(Deb, DamagedMembersAreNamed) {
  EXPECT_EQ(control_refusal(sample().replace_member("control.tar.xz", "not a tar, not even compressed")).substr(0, 43),
            "cannot read package 'p_1_all': control.tar:");
  std::string data = sample().data_tar();
  data[100] = '?';  // the mode of the first entry, covered by its checksum
  EXPECT_EQ(data_refusal(sample().data_packing(Packing::none).replace_member("data.tar", data)).substr(0, 40),
            "cannot read package 'p_1_all': data.tar:");
}

TEST(Deb, ControlFilesKeepModeAndTime) {
  DebBuilder package = sample().script("postinst", "#!/bin/sh\n").triggers("interest x\n");
  ControlArchive control = read_control(checked(package), "p");
  EXPECT_EQ(control.find("postinst")->mode, 0755U);
  EXPECT_EQ(control.find("triggers")->mode, 0644U);
  EXPECT_EQ(control.find("triggers")->mtime, test::kBuilderTime);
  EXPECT_EQ(control.find("triggers")->content, "interest x\n");
  EXPECT_EQ(control.find("preinst"), nullptr);
}

TEST(Deb, OfTwoControlFilesOfOneNameTheLaterCounts) {
  DebBuilder package = sample().control_file("triggers", "one\n").control_file("triggers", "two\n");
  ControlArchive control = read_control(checked(package), "p");
  EXPECT_EQ(control.find("triggers")->content, "two\n");
}

TEST(Deb, StrangeControlArchivesAreRefused) {
  DebEntry file{DebEntry::Type::file, "./control", "Package: p\n", {}, 0, 0, {}};
  DebEntry link{DebEntry::Type::symlink, "./postinst", {}, "/bin/sh", 0, 0, {}};
  DebEntry deep{DebEntry::Type::file, "./sub/x", "x", {}, 0, 0, {}};
  DebEntry out{DebEntry::Type::file, "../control", "x", {}, 0, 0, {}};
  EXPECT_EQ(control_refusal(with_control(test::make_tar({}))),
            "cannot read package 'p_1_all': control.tar has no file 'control'");
  EXPECT_EQ(control_refusal(with_control(test::make_tar({file, link}))),
            "cannot read package 'p_1_all': control.tar: '/postinst' is no plain file");
  EXPECT_EQ(control_refusal(with_control(test::make_tar({file, deep}))),
            "cannot read package 'p_1_all': control.tar holds a file in a directory");
  EXPECT_EQ(control_refusal(with_control(test::make_tar({out}))),
            "cannot read package 'p_1_all': entry '../control' leads out of the root");
}

TEST(Deb, ControlArchivesHaveLimits) {
  std::vector<DebEntry> many;
  for (std::size_t i = 0; i <= kMaxControlFiles; ++i) {
    many.push_back({DebEntry::Type::file, fmt::format("./f{}", i), "", {}, 0, 0, {}});
  }
  EXPECT_EQ(control_refusal(with_control(test::make_tar(many))),
            "cannot read package 'p_1_all': control.tar holds too many files");
  std::string bomb =
      test::make_tar({{DebEntry::Type::file, "./x", std::string(kMaxControlBytes + 1, '\0'), {}, 0, 0, {}}});
  DebBuilder package = sample().control_packing(Packing::gzip);
  package.replace_member("control.tar.gz", test::pack_bytes(bomb, Packing::gzip));
  EXPECT_EQ(control_refusal(package),
            fmt::format("cannot read package 'p_1_all': control.tar holds more than {} bytes", kMaxControlBytes));
}

TEST(Deb, ErrorsOfTheVisitorPassThrough) {
  base::VerifiedFile package = checked(sample());
  EXPECT_EQ(thrown_by([&] {
              read_data(package, "p",
                        [](Entry &&, const BodyReader &) { throw Error(ErrorKind::output, "disk full"); });
              return 0;
            }),
            "disk full");
}

TEST(Deb, OneDescriptorServesSeveralReaders) {
  base::VerifiedFile package = checked(sample());
  std::vector<std::string> first = listing(package);
  static_cast<void>(read_control(package, "p"));
  EXPECT_EQ(listing(package), first);
}

}  // namespace
}  // namespace debroot::deb
