#include "pack/tar_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace debroot::pack {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string field(const std::string &header, std::size_t offset, std::size_t size) {
  return header.substr(offset, size);
}

/// The records of the pax header that `header` begins with, as "key=value" lines after checking each length.
std::string records_of(const std::string &header) {
  EXPECT_EQ(header[156], 'x');
  std::size_t size = std::strtoul(header.substr(124, 11).c_str(), nullptr, 8);
  std::string_view rest(header.data() + kTarBlockBytes, size);
  std::string records;
  while (!rest.empty()) {
    std::size_t blank = rest.find(' ');
    std::size_t length = std::strtoul(std::string(rest.substr(0, blank)).c_str(), nullptr, 10);
    if (length > rest.size() || rest[length - 1] != '\n') return "bad length in " + std::string(rest);
    records += rest.substr(blank + 1, length - blank - 1);
    rest.remove_prefix(length);
  }
  return records;
}

TreeEntry file_entry(const std::string &path) {
  TreeEntry entry;
  entry.path = path;
  entry.mode = 0644;
  entry.mtime_seconds = 1'500'000'000;
  return entry;
}

TEST(TarHeader, PlainFileIsOneBlockInTheShapeOfGnuTar) {
  TreeEntry entry = file_entry("./etc/passwd");
  entry.mode = 04755;
  entry.uid = 1000;
  entry.gid = 42;
  entry.size_bytes = 1234;
  std::string header = tar_header(entry, 0);
  ASSERT_EQ(header.size(), kTarBlockBytes);
  EXPECT_EQ(field(header, 0, 13), std::string("./etc/passwd\0", 13));
  EXPECT_EQ(field(header, 100, 8), std::string("0004755\0", 8));
  EXPECT_EQ(field(header, 108, 8), std::string("0001750\0", 8));
  EXPECT_EQ(field(header, 116, 8), std::string("0000052\0", 8));
  EXPECT_EQ(field(header, 124, 12), std::string("00000002322\0", 12));
  EXPECT_EQ(field(header, 136, 12), std::string("13132027400\0", 12));
  EXPECT_EQ(field(header, 156, 1), "0");
  EXPECT_EQ(field(header, 257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(field(header, 265, 64), std::string(64, '\0')) << "user and group names";
  EXPECT_EQ(field(header, 329, 16), std::string("0000000\0000000000\0", 16));
}

TEST(TarHeader, ChecksumCountsItsOwnFieldAsBlanks) {
  std::string header = tar_header(file_entry("./a"), 0);
  unsigned long expected = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    expected += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  }
  EXPECT_EQ(std::strtoul(header.substr(148, 6).c_str(), nullptr, 8), expected);
  EXPECT_EQ(field(header, 154, 2), std::string("\0 ", 2));
}

TEST(TarHeader, DeviceNumbersAreOctal) {
  TreeEntry entry = file_entry("./dev/tty64");
  entry.type = EntryType::character_device;
  entry.device_major = 4;
  entry.device_minor = 64;
  EXPECT_EQ(field(tar_header(entry, 0), 329, 16), std::string("0000004\0000000100\0", 16));
}

TEST(TarHeader, NamesOfAHundredBytesNeedNoRecordAndLongerOnesDo) {
  EXPECT_EQ(tar_header(file_entry(std::string(100, 'a')), 0).size(), kTarBlockBytes);
  std::string name(101, 'a');
  std::string header = tar_header(file_entry(name), 1'600'000'000);
  ASSERT_EQ(header.size(), 3 * kTarBlockBytes);
  EXPECT_EQ(records_of(header), "path=" + name + "\n");
  EXPECT_EQ(field(header, 136, 11), "13727410000") << "the pax header has the epoch's time";
  EXPECT_EQ(field(header, 2 * kTarBlockBytes, 100), std::string(100, 'a'));
}

TEST(TarHeader, LongLinkTargetGetsARecord) {
  TreeEntry entry = file_entry("./link");
  entry.type = EntryType::symbolic_link;
  entry.link_target = std::string(300, 'b');
  EXPECT_EQ(records_of(tar_header(entry, 0)), "linkpath=" + entry.link_target + "\n");
}

TEST(TarHeader, ShortNamesAreWrittenAsTheBytesTheyAre) {
  for (std::string name : {"./F\xc5\x91", "./bad\xff"}) {
    std::string header = tar_header(file_entry(name), 0);
    ASSERT_EQ(header.size(), kTarBlockBytes);
    EXPECT_EQ(field(header, 0, name.size() + 1), name + '\0');
  }
}

TEST(TarHeader, NumbersBeyondTheirFieldsGetRecords) {
  TreeEntry entry = file_entry("./a");
  entry.size_bytes = std::uint64_t{1} << 33;
  entry.uid = 07777777 + 1;
  entry.gid = 4'000'000'000;
  entry.mtime_seconds = -5;
  EXPECT_EQ(records_of(tar_header(entry, 0)), "size=8589934592\nuid=2097152\ngid=4000000000\nmtime=-5\n");
  entry.size_bytes = (std::uint64_t{1} << 33) - 1;
  entry.uid = 07777777;
  entry.gid = 0;
  entry.mtime_seconds = 0;
  EXPECT_EQ(tar_header(entry, 0).size(), kTarBlockBytes);
}

TEST(TarHeader, AttributesKeepTheirBytes) {
  TreeEntry entry = file_entry("./usr/bin/ping");
  entry.attributes = {{"security.capability", std::string("\1\0\0\2\n", 5)}, {"user.a=b%", "x"}};
  std::string header = tar_header(entry, 0);
  EXPECT_EQ(records_of(header),
            std::string("SCHILY.xattr.security.capability=\1\0\0\2\n\n", 39) + "SCHILY.xattr.user.a%3Db%25=x\n");
  EXPECT_EQ(field(header, 0, 26), std::string("./usr/bin/PaxHeaders/ping\0", 26));
  EXPECT_THAT(header, Not(HasSubstr("LIBARCHIVE")));
}

TEST(TarHeader, RecordLengthCountsItsOwnDigits) {
  for (std::size_t size : {1, 2, 81, 82, 83, 84, 85, 86, 978, 979, 980, 981, 982, 983, 984, 985}) {
    TreeEntry entry = file_entry("./a");
    entry.attributes = {{"u", std::string(size, 'v')}};
    EXPECT_EQ(records_of(tar_header(entry, 0)), "SCHILY.xattr.u=" + std::string(size, 'v') + "\n") << size;
  }
}

TEST(TarHeader, PaxHeaderOfADirectoryIsNamedAfterIt) {
  TreeEntry entry = file_entry("./var/log/journal/");
  entry.type = EntryType::directory;
  entry.attributes = {{"user.a", "b"}};
  EXPECT_EQ(field(tar_header(entry, 0), 0, 29), std::string("./var/log/PaxHeaders/journal\0", 29));
  entry.path = "./";
  EXPECT_EQ(field(tar_header(entry, 0), 0, 15), std::string("./PaxHeaders/.\0", 15));
}

}  // namespace
}  // namespace debroot::pack
