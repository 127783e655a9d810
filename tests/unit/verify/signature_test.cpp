#include "verify/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>

#include "support/test_key.hpp"
#include "support/thrown_error.hpp"

namespace debroot::verify {
namespace {

using test::thrown_by;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kCreated = 1577836800;
const std::string kText = "Origin: Test\nSuite: bookworm\nDescription: with -dashes\n-leading: dash\n";

class SignatureTest : public testing::Test {
 protected:
  // the keys are made here and not in SetUpTestSuite, whose failure would make all tests count as skipped
  void SetUp() override {
    if (key_) return;
    key_ = std::make_unique<test::TestKey>();
    other_ = std::make_unique<test::TestKey>(test::KeySettings{.user_id = "Other <other@example.org>"});
    keyring_ = Keyring::from_bytes(key_->public_key(), "corp.gpg");
  }
  static void TearDownTestSuite() {
    key_.reset();
    other_.reset();
    keyring_ = {};
  }

  static VerifiedRelease check(std::string message, const Keyring &keyring = keyring_) {
    return verify_inrelease(base::UntrustedBytes(std::move(message)), keyring, "bookworm");
  }
  static std::string refusal(std::string message, const Keyring &keyring = keyring_) {
    ErrorKind kind = ErrorKind::trust;
    std::string text = thrown_by([&] { return check(std::move(message), keyring); }, &kind);
    EXPECT_EQ(kind, ErrorKind::trust);
    return text;
  }

  static std::unique_ptr<test::TestKey> key_;
  static std::unique_ptr<test::TestKey> other_;
  static Keyring keyring_;
};

std::unique_ptr<test::TestKey> SignatureTest::key_;
std::unique_ptr<test::TestKey> SignatureTest::other_;
Keyring SignatureTest::keyring_;

TEST_F(SignatureTest, AGoodSignatureGivesTheTextAndTheSigner) {
  VerifiedRelease release = check(key_->sign_clear(kText));
  EXPECT_EQ(release.text.view(), kText);
  EXPECT_EQ(release.signers, std::vector<std::string>{key_->fingerprint()});
}

TEST_F(SignatureTest, ADetachedSignatureIsAsGood) {
  VerifiedRelease release = verify_release(base::UntrustedBytes(kText),
                                           base::UntrustedBytes(key_->sign_detached(kText)), keyring_, "bookworm");
  EXPECT_EQ(release.text.view(), kText);
  EXPECT_EQ(release.signers, std::vector<std::string>{key_->fingerprint()});
}

TEST_F(SignatureTest, OneKnownSignerAmongUnknownOnesSuffices) {
  std::string message = key_->sign_clear_with(*other_, kText);
  EXPECT_EQ(check(message).signers, std::vector<std::string>{key_->fingerprint()});
  Keyring both = keyring_;
  both.add(Keyring::from_bytes(other_->public_key(), "other.gpg"));
  EXPECT_EQ(check(message, both).signers.size(), 2u);
}

TEST_F(SignatureTest, AnUnknownKeyIsRefused) {
  EXPECT_EQ(refusal(other_->sign_clear(kText)),
            "cannot trust InRelease of suite 'bookworm': no signature by a known key\n"
            "  got: signature by " +
                other_->key_id() +
                ", key not in any keyring\n"
                "  expected: a key from corp.gpg (1 key)\n"
                "  try: --keyring=FILE with the archive's public key");
}

TEST_F(SignatureTest, AnAlteredTextIsRefused) {
  std::string message = key_->sign_clear(kText);
  message.replace(message.find("bookworm"), 8, "bullseye");
  EXPECT_EQ(refusal(message),
            "cannot trust InRelease of suite 'bookworm': bad signature, the text was altered\n"
            "  got: bad signature by " +
                key_->key_id() +
                "\n"
                "  expected: a key from corp.gpg (1 key)");
}

TEST_F(SignatureTest, AnAlteredReleaseIsRefused) {
  std::string detached = key_->sign_detached(kText);
  EXPECT_EQ(thrown_by([&] {
              return verify_release(base::UntrustedBytes(kText + "x"), base::UntrustedBytes(detached), keyring_, "sid");
            }),
            "cannot trust Release of suite 'sid': bad signature, the text was altered\n"
            "  got: bad signature by " +
                key_->key_id() +
                "\n"
                "  expected: a key from corp.gpg (1 key)");
}

TEST_F(SignatureTest, TextOutsideTheBlockIsRefused) {
  std::string message = key_->sign_clear(kText);
  const std::string expected = "cannot trust InRelease of suite 'bookworm': text outside the signed block";
  EXPECT_EQ(refusal("Suite: bullseye\n" + message), expected);
  EXPECT_EQ(refusal(message + "Suite: bullseye\n"), expected);
  EXPECT_EQ(refusal(message + message), expected);
}

TEST_F(SignatureTest, AnUnsignedFileIsRefused) {
  EXPECT_EQ(refusal(kText), "cannot trust InRelease of suite 'bookworm': it is not signed");
}

TEST_F(SignatureTest, ADamagedSignatureIsRefused) {
  std::string message = key_->sign_clear(kText);
  std::size_t armor = message.find("\n\n", message.find("BEGIN PGP SIGNATURE"));
  message.replace(armor + 2, 20, "AAAAAAAAAAAAAAAAAAAA");
  EXPECT_THAT(refusal(message), testing::StartsWith("cannot trust InRelease of suite 'bookworm': "));
  EXPECT_THAT(thrown_by([&] {
                return verify_release(base::UntrustedBytes(kText), base::UntrustedBytes("rubbish"), keyring_, "sid");
              }),
              testing::StartsWith("cannot trust Release of suite 'sid': its signature is damaged"));
}

TEST_F(SignatureTest, AnEmptyKeyringIsRefusedBeforeGpgRuns) {
  EXPECT_EQ(refusal(key_->sign_clear(kText), Keyring()),
            "cannot trust InRelease of suite 'bookworm': no key is known for this archive\n"
            "  try: --keyring=FILE with the archive's public key");
}

TEST_F(SignatureTest, AnExpiredSignatureIsRefused) {
  std::string message = key_->sign_clear(kText, {.signed_at = kCreated + kDay, .expires_at = kCreated + 3 * kDay});
  EXPECT_EQ(refusal(message),
            "cannot trust InRelease of suite 'bookworm': its signature has expired\n"
            "  got: signature by " +
                key_->key_id() +
                ", expired 2020-01-04\n"
                "  expected: a key from corp.gpg (1 key)");
}

TEST_F(SignatureTest, AWeakDigestIsRefused) {
  test::TestKey rsa({.user_id = "RSA <rsa@example.org>", .algorithm = "rsa2048"});
  for (const char *digest : {"SHA1", "RIPEMD160", "MD5"}) {
    std::string message = rsa.sign_clear(kText, {.signed_at = kCreated + kDay, .digest = digest});
    EXPECT_EQ(refusal(message, Keyring::from_bytes(rsa.public_key(), "rsa.gpg")),
              "cannot trust InRelease of suite 'bookworm': its signature uses a weak digest\n"
              "  got: signature by " +
                  rsa.key_id() +
                  " over a digest that is not SHA-2\n"
                  "  expected: a key from rsa.gpg (1 key)")
        << digest;
  }
}

TEST_F(SignatureTest, AnExpiredKeyIsRefusedUntilANewerCopyJoins) {
  test::TestKey key({.user_id = "Old <old@example.org>", .expires_at = kCreated + 10 * kDay});
  std::string message = key.sign_clear(kText);
  Keyring keyring = Keyring::from_bytes(key.public_key(), "old.gpg");
  EXPECT_EQ(refusal(message, keyring),
            "cannot trust InRelease of suite 'bookworm': the key that signed it has expired\n"
            "  got: signature by " +
                key.key_id() +
                ", key expired\n"
                "  expected: a key from old.gpg (1 key)\n"
                "  try: --keyring=FILE with a newer copy of the key");
  key.expire_at(kCreated + 20000 * kDay);
  keyring.add(Keyring::from_bytes(key.public_key(), "new.gpg"));
  EXPECT_EQ(check(message, keyring).text.view(), kText);
}

TEST_F(SignatureTest, ARevokedKeyIsRefusedWhicheverCopyComesFirst) {
  test::TestKey key({.user_id = "Lost <lost@example.org>"});
  std::string message = key.sign_clear(kText);
  Keyring keyring = Keyring::from_bytes(key.public_key(), "before.gpg");
  EXPECT_EQ(check(message, keyring).text.view(), kText);
  key.revoke();
  keyring.add(Keyring::from_bytes(key.public_key(), "after.gpg"));
  EXPECT_EQ(refusal(message, keyring),
            "cannot trust InRelease of suite 'bookworm': the key that signed it was revoked\n"
            "  got: signature by " +
                key.key_id() +
                ", key revoked\n"
                "  expected: a key from before.gpg (1 key), after.gpg (1 key)");
}

TEST_F(SignatureTest, AMissingGpgIsSaidWithTheRemedy) {
  ErrorKind kind{};
  EXPECT_EQ(thrown_by(
                [&] {
                  return verify_inrelease(base::UntrustedBytes(key_->sign_clear(kText)), keyring_, "bookworm",
                                          {.program = "/nonexistent/gpg"});
                },
                &kind),
            "cannot check signatures: the program gpg is missing\n"
            "  try: install gpg (on Debian: apt-get install gpg)");
  EXPECT_EQ(kind, ErrorKind::sandbox);
}

TEST_F(SignatureTest, ATemporaryDirectoryThatIsNotThereIsNamed) {
  EXPECT_EQ(thrown_by([&] {
              return verify_inrelease(base::UntrustedBytes(key_->sign_clear(kText)), keyring_, "bookworm",
                                      {.program = {}, .temporary_directory = "/nonexistent"});
            }),
            "cannot make a directory in '/nonexistent': no such file or directory");
}

TEST_F(SignatureTest, NothingStaysInTheTemporaryDirectory) {
  std::string directory = "/tmp/dkvXXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  GpgSettings settings{.program = {}, .temporary_directory = directory};
  static_cast<void>(verify_inrelease(base::UntrustedBytes(key_->sign_clear(kText)), keyring_, "x", settings));
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove_all(directory);
}

TEST_F(SignatureTest, TheUsersGpgConfigurationIsNotRead) {
  std::string directory = "/tmp/dkuXXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const char *before = ::getenv("GNUPGHOME");
  std::string saved = before == nullptr ? "" : before;
  ::setenv("GNUPGHOME", directory.c_str(), 1);
  std::string message = key_->sign_clear(kText);
  EXPECT_EQ(check(message).text.view(), kText);
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  before == nullptr ? ::unsetenv("GNUPGHOME") : ::setenv("GNUPGHOME", saved.c_str(), 1);
  std::filesystem::remove_all(directory);
}

TEST_F(SignatureTest, SeveralVerificationsMayRunAtOnce) {
  std::string good = key_->sign_clear(kText);
  std::string unknown = other_->sign_clear(kText);
  std::vector<std::future<std::string>> results;
  for (int i = 0; i < 6; ++i) {
    results.push_back(std::async(std::launch::async, [&, i] {
      return thrown_by([&] { return check(i % 2 == 0 ? good : unknown); }).substr(0, 18);
    }));
  }
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i % 2 == 0 ? "nothing was thrown" : "cannot trust InRel");
  }
}

TEST_F(SignatureTest, TrustedSourcesAreTakenAsTheyAre) {
  VerifiedRelease plain = accept_unsigned(base::UntrustedBytes(kText));
  EXPECT_EQ(plain.text.view(), kText);
  EXPECT_TRUE(plain.signers.empty());
  EXPECT_EQ(accept_unsigned(base::UntrustedBytes(other_->sign_clear(kText))).text.view(), kText);
  std::string message = other_->sign_clear(kText);
  EXPECT_EQ(thrown_by([&] { return accept_unsigned(base::UntrustedBytes(message.substr(0, message.size() / 2))); }),
            "cannot read InRelease: it is cut off");
}

}  // namespace
}  // namespace debroot::verify
