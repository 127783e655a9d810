#include "verify/digest_check.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "support/thrown_error.hpp"

namespace debroot::verify {
namespace {

using test::thrown_by;

const std::string kText = "some bytes\n";
const std::string kDigest = base::hash_of(base::HashKind::sha256, kText);
const std::string kZeroes(64, '0');

/// An unnamed file that holds `content`, its offset at the end.
base::UntrustedFile file_of(const std::string &content) {
  base::Fd fd = base::open_file("/tmp", O_TMPFILE | O_RDWR, 0600);
  base::write_all(fd.get(), content);
  return base::UntrustedFile(std::move(fd));
}

TEST(CheckBytes, RightBytesBecomeVerified) {
  EXPECT_EQ(check_bytes(base::UntrustedBytes(kText), kDigest, kText.size(), "x").view(), kText);
}

TEST(CheckBytes, EmptyBytesHaveADigestToo) {
  std::string digest = base::hash_of(base::HashKind::sha256, "");
  EXPECT_EQ(check_bytes(base::UntrustedBytes(""), digest, 0, "x").view(), "");
}

TEST(CheckBytes, UpperCaseDigestIsTheSame) {
  std::string upper = kDigest;
  for (char &c : upper) c = static_cast<char>(::toupper(c));
  EXPECT_EQ(check_bytes(base::UntrustedBytes(kText), upper, kText.size(), "x").view(), kText);
}

TEST(CheckBytes, WrongDigestIsRefused) {
  ErrorKind kind{};
  EXPECT_EQ(
      thrown_by([] { return check_bytes(base::UntrustedBytes(kText), kZeroes, kText.size(), "a_1_all.deb"); }, &kind),
      "digest of 'a_1_all.deb' is wrong\n"
      "  expected: SHA-256 " +
          kZeroes +
          "\n"
          "  got: SHA-256 " +
          kDigest);
  EXPECT_EQ(kind, ErrorKind::trust);
}

TEST(CheckBytes, AnEmptyExpectedDigestMatchesNothing) {
  EXPECT_NE(thrown_by([] { return check_bytes(base::UntrustedBytes(kText), "", kText.size(), "x"); }),
            "nothing was thrown");
}

TEST(CheckBytes, WrongSizeIsRefusedFirst) {
  ErrorKind kind{};
  EXPECT_EQ(
      thrown_by([] { return check_bytes(base::UntrustedBytes(kText), kZeroes, 5, "http://u:secret@h/x"); }, &kind),
      "size of 'http://h/x' is wrong\n  expected: 5 bytes\n  got: 11 bytes");
  EXPECT_EQ(kind, ErrorKind::trust);
}

TEST(CheckFile, RightFileBecomesVerifiedAndKeepsItsOffset) {
  base::VerifiedFile file = check_file(file_of(kText), kDigest, kText.size(), "x");
  EXPECT_EQ(file.size_bytes(), kText.size());
  EXPECT_EQ(::lseek(file.fd().get(), 0, SEEK_CUR), static_cast<off_t>(kText.size()));
}

TEST(CheckFile, WrongSizeIsRefused) {
  EXPECT_EQ(thrown_by([] { return check_file(file_of(kText), kDigest, 12, "a.deb"); }),
            "size of 'a.deb' is wrong\n  expected: 12 bytes\n  got: 11 bytes");
}

TEST(CheckFile, WrongDigestIsRefused) {
  EXPECT_EQ(thrown_by([] { return check_file(file_of(kText), kZeroes, kText.size(), "a.deb"); }),
            "digest of 'a.deb' is wrong\n  expected: SHA-256 " + kZeroes + "\n  got: SHA-256 " + kDigest);
}

TEST(CheckFile, AnEndlessFileIsRefusedWithoutReading) {
  base::UntrustedFile endless(base::open_file("/dev/zero", O_RDONLY));
  EXPECT_EQ(thrown_by([&] { return check_file(std::move(endless), kZeroes, 7, "zero"); }),
            "size of 'zero' is wrong\n  expected: 7 bytes\n  got: 0 bytes");
}

TEST(CheckFile, ADescriptorThatCannotBeReadIsNamed) {
  EXPECT_EQ(thrown_by([] { return check_file(base::UntrustedFile(base::Fd()), kZeroes, 7, "gone.deb"); }),
            "cannot read 'gone.deb': bad file descriptor");
}

}  // namespace
}  // namespace debroot::verify
