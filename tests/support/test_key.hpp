/// Signing keys made at run time, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace debroot::test {

/// What a key is to be like.
struct KeySettings {
  std::string user_id = "Test Archive <archive@example.org>";
  std::string algorithm = "ed25519";
  std::int64_t created_at = 1577836800;                   ///< Unix time, 2020-01-01
  std::optional<std::int64_t> expires_at = std::nullopt;  ///< Unix time; nothing: never
};

/// What a signature is to be like.
struct SignatureSettings {
  std::int64_t signed_at = 1577923200;                    ///< Unix time, 2020-01-02
  std::optional<std::int64_t> expires_at = std::nullopt;  ///< Unix time; nothing: never
  std::string digest = "SHA256";
};

/// One key pair without passphrase in a GNUPGHOME of its own below /tmp, gone with the object (its agent too). Making
/// one takes some 100 ms: share it among the tests of a program.
class TestKey {
 public:
  explicit TestKey(const KeySettings &settings = {});
  TestKey(const TestKey &) = delete;
  TestKey &operator=(const TestKey &) = delete;
  ~TestKey();

  [[nodiscard]] const std::string &fingerprint() const { return fingerprint_; }
  /// Last 16 digits of the fingerprint, as messages name keys.
  [[nodiscard]] std::string key_id() const { return fingerprint_.substr(fingerprint_.size() - 16); }
  /// The public key as binary packets or as ASCII armor.
  [[nodiscard]] std::string public_key() const;
  [[nodiscard]] std::string armored_public_key() const;
  /// The same in GnuPG's keybox container.
  [[nodiscard]] std::string keybox() const;

  /// `text` clear-signed.
  [[nodiscard]] std::string sign_clear(std::string_view text, const SignatureSettings &settings = {}) const;
  /// An armored detached signature over `text`.
  [[nodiscard]] std::string sign_detached(std::string_view text, const SignatureSettings &settings = {}) const;
  /// `text` clear-signed by this key and by `other`, in this order.
  [[nodiscard]] std::string sign_clear_with(const TestKey &other, std::string_view text) const;

  /// Sets a later expiry date (Unix time); `public_key` then gives the renewed key.
  void expire_at(std::int64_t when);
  /// Revokes the key in its own home; `public_key` then gives the revoked key.
  void revoke();

 private:
  std::string home_;
  std::string fingerprint_;
};

}  // namespace debroot::test
