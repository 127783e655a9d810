#include "verify/keyring.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "support/test_key.hpp"
#include "support/thrown_error.hpp"

namespace debroot::verify {
namespace {

using test::thrown_by;

class KeyringTest : public testing::Test {
 protected:
  // made here and not in SetUpTestSuite, whose failure would make all tests count as skipped
  static void make_keys() {
    if (first_) return;
    first_ = std::make_unique<test::TestKey>();
    second_ = std::make_unique<test::TestKey>(test::KeySettings{.user_id = "Second <second@example.org>"});
  }
  static void TearDownTestSuite() {
    first_.reset();
    second_.reset();
  }

  void SetUp() override {
    make_keys();
    directory_ = "/tmp/dkrXXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string put(const std::string &name, std::string_view content) const {
    std::string path = directory_ + "/" + name;
    base::Fd fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
    base::write_all(fd.get(), content);
    return path;
  }

  static std::unique_ptr<test::TestKey> first_;
  static std::unique_ptr<test::TestKey> second_;
  std::string directory_;
};

std::unique_ptr<test::TestKey> KeyringTest::first_;
std::unique_ptr<test::TestKey> KeyringTest::second_;

TEST_F(KeyringTest, EveryContainerGivesTheSameKey) {
  Keyring binary = Keyring::from_bytes(first_->public_key(), "binary");
  EXPECT_EQ(binary.key_count(), 1u);
  EXPECT_EQ(binary.bytes(), first_->public_key());
  EXPECT_EQ(Keyring::from_bytes(first_->armored_public_key(), "armor").bytes(), binary.bytes());
  EXPECT_EQ(Keyring::from_bytes(first_->keybox(), "keybox").bytes(), binary.bytes());
}

TEST_F(KeyringTest, KnowsWhoseKeysItHolds) {
  Keyring first = Keyring::from_bytes(first_->public_key(), "first");
  Keyring both = Keyring::from_bytes(second_->armored_public_key(), "second");
  EXPECT_FALSE(both.holds_all_keys_of(first));
  both.add(first);
  EXPECT_TRUE(both.holds_all_keys_of(first));
  EXPECT_FALSE(first.holds_all_keys_of(both));
  EXPECT_TRUE(first.holds_all_keys_of(Keyring()));
}

TEST_F(KeyringTest, SeveralArmoredBlocksInOneFileAllCount) {
  Keyring keyring = Keyring::from_bytes(
      "Some words before\n" + first_->armored_public_key() + "\n\n" + second_->armored_public_key(), "two.asc");
  EXPECT_EQ(keyring.description(), "two.asc (2 keys)");
}

TEST_F(KeyringTest, ArmorWithWindowsLineEndsIsRead) {
  const std::string armor = first_->armored_public_key();
  std::string text;
  for (std::string_view line : base::split(armor, '\n')) text += std::string(line) + "\r\n";
  EXPECT_EQ(Keyring::from_bytes(text, "x").bytes(), first_->public_key());
}

TEST_F(KeyringTest, SignedByBlockIsReadAsDeb822FoldsIt) {
  const std::string armor = first_->armored_public_key();
  std::string value;
  for (std::string_view line : base::split(base::trim(armor), '\n')) {
    value += "\n " + (line.empty() ? std::string(".") : std::string(line));
  }
  Keyring keyring = Keyring::from_signed_by(value, "Signed-By of corp.sources");
  EXPECT_EQ(keyring.bytes(), first_->public_key());
  EXPECT_EQ(keyring.description(), "Signed-By of corp.sources (1 key)");
}

TEST_F(KeyringTest, ADirectoryGivesAllItsKeyrings) {
  put("b.asc", second_->armored_public_key());
  put("a.gpg", first_->public_key());
  put("README", "not a key");
  Keyring keyring = Keyring::from_path(directory_);
  EXPECT_EQ(keyring.description(), directory_ + "/a.gpg (1 key), " + directory_ + "/b.asc (1 key)");
  EXPECT_EQ(keyring.key_count(), 2u);
}

TEST_F(KeyringTest, AKeyFromTwoOriginsCountsOnceAndNothingDoubles) {
  Keyring keyring = Keyring::from_bytes(first_->public_key(), "a");
  keyring.add(Keyring::from_bytes(first_->armored_public_key(), "b"));
  EXPECT_EQ(keyring.key_count(), 1u);
  EXPECT_EQ(keyring.bytes(), first_->public_key());
  EXPECT_EQ(keyring.description(), "a (1 key), b (1 key)");
}

TEST_F(KeyringTest, TrustPacketsAreDropped) {
  std::string key = first_->public_key() + std::string("\xb0\x02\x06\x00", 4);  // gpg's cache: "signature is good"
  EXPECT_EQ(Keyring::from_bytes(key, "x").bytes(), first_->public_key());
}

TEST_F(KeyringTest, FilesThatHoldNoKeyAreNamed) {
  std::string path = put("x.gpg", "hello\n");
  ErrorKind kind{};
  EXPECT_EQ(thrown_by([&] { return Keyring::from_path(path); }, &kind),
            "cannot read keyring '" + path + "': no OpenPGP public key in it");
  EXPECT_EQ(kind, ErrorKind::trust);
  EXPECT_EQ(thrown_by([&] { return Keyring::from_path(put("empty.gpg", "")); }),
            "cannot read keyring '" + directory_ + "/empty.gpg': no OpenPGP public key in it");
}

TEST_F(KeyringTest, AnAbsentFileAndAnEmptyDirectoryAreNamed) {
  EXPECT_EQ(thrown_by([&] { return Keyring::from_path(directory_ + "/none.gpg"); }),
            "cannot read keyring '" + directory_ + "/none.gpg': no such file or directory");
  EXPECT_EQ(thrown_by([&] { return Keyring::from_path(directory_); }),
            "cannot read keyring '" + directory_ + "': no *.gpg, *.pgp or *.asc file in it");
}

TEST_F(KeyringTest, DamagedContainersAreRefused) {
  auto cause = [](std::string_view bytes) { return thrown_by([&] { return Keyring::from_bytes(bytes, "x"); }); };
  std::string key = first_->public_key();
  std::string armor = first_->armored_public_key();
  std::string box = first_->keybox();
  EXPECT_EQ(cause(key.substr(0, key.size() - 1)), "cannot read keyring 'x': key data is cut off");
  EXPECT_EQ(cause(armor.substr(0, armor.size() / 2)), "cannot read keyring 'x': its armor is cut off");
  std::string altered = armor;
  altered[armor.find("\n\n") + 5] = '!';
  EXPECT_EQ(cause(altered), "cannot read keyring 'x': its armor is damaged");
  EXPECT_EQ(cause(box.substr(0, box.size() - 10)), "cannot read keyring 'x': keybox is damaged");
  EXPECT_EQ(cause("\xc6\xe1"), "cannot read keyring 'x': key packet of unknown length");
  EXPECT_EQ(cause("\x9b"), "cannot read keyring 'x': key packet of unknown length");
  EXPECT_EQ(cause(std::string("\xb4\x01x", 3)), "cannot read keyring 'x': key data does not begin with a key");
  EXPECT_EQ(cause(std::string("\x94\x01x", 3)), "cannot read keyring 'x': it holds a secret key");
}

TEST_F(KeyringTest, EveryTruncationIsRefusedOrGivesFewerPackets) {
  std::string key = first_->public_key();
  for (std::size_t size = 0; size < key.size(); ++size) {
    try {
      EXPECT_LT(Keyring::from_bytes(key.substr(0, size), "x").bytes().size(), key.size());
    } catch (const Error &error) {
      EXPECT_EQ(error.kind(), ErrorKind::trust);
    }
  }
}

TEST_F(KeyringTest, AVendorHasItsBuiltInKeysAndThoseOfTheHost) {
  Keyring built_in = vendor_keyring("debian", RemovedKeys::without, directory_);
  EXPECT_EQ(built_in.description(), "built-in debian-archive-keyring (9 keys)");
  put("debian-archive-keyring.gpg", first_->public_key());
  put("debian-archive-keyring.pgp", second_->public_key());
  put("corp-archive-keyring.gpg", second_->public_key());
  Keyring both = vendor_keyring("debian", RemovedKeys::without, directory_);
  EXPECT_EQ(both.key_count(), built_in.key_count() + 2);
  EXPECT_EQ(vendor_keyring("corp", RemovedKeys::without, directory_).key_count(), 1u);
  EXPECT_TRUE(vendor_keyring("nobody", RemovedKeys::without, directory_).empty());
  EXPECT_TRUE(vendor_keyring("", RemovedKeys::with, directory_).empty());
}

TEST_F(KeyringTest, RemovedKeysJoinOnlyWhenAskedFor) {
  EXPECT_EQ(vendor_keyring("debian", RemovedKeys::with, directory_).description(),
            "built-in debian-archive-keyring (9 keys), built-in debian-archive-removed-keys (23 keys)");
  EXPECT_EQ(vendor_keyring("ubuntu", RemovedKeys::with, directory_).description(),
            "built-in ubuntu-archive-keyring (3 keys)");
}

TEST(BundledKeyring, AnUnknownNameIsAMistakeOfOurs) {
  ErrorKind kind{};
  EXPECT_EQ(thrown_by([] { return Keyring::bundled("nobody"); }, &kind), "no keyring 'nobody' is built in");
  EXPECT_EQ(kind, ErrorKind::internal);
}

TEST(EmptyKeyring, SaysSo) { EXPECT_EQ(Keyring().description(), "no keyring"); }

}  // namespace
}  // namespace debroot::verify
