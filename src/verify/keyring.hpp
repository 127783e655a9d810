/// Sets of public keys that an archive may be signed with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::verify {

/// Public keys as a plain value, with where they came from. Binary OpenPGP, ASCII armor and GnuPG's keybox are read by
/// own code (container formats only, no cryptography), so that a verification hands gpg one ready file instead of
/// importing keys first (80 ms instead of 20). A key that several origins hold is merged, as an import would: a newer
/// expiry date or a revocation counts wherever it was found.
class Keyring {
 public:
  Keyring() = default;

  /// Keys in `bytes`, whichever of the three forms they have. `origin` is shown in messages.
  /// @throws Error of kind trust when there is no public key in them
  [[nodiscard]] static Keyring from_bytes(std::string_view bytes, std::string origin);
  /// The file at `path`, or every *.gpg, *.pgp and *.asc of the directory at `path` (apt's Dir::Etc::TrustedParts).
  /// @throws Error of kind trust naming the file that cannot be read or holds no key
  [[nodiscard]] static Keyring from_path(const std::string &path);
  /// Value of a Signed-By field or option that is an armored block in the form deb822 gives it: lines indented by one
  /// blank, empty lines written " .". @throws Error of kind trust
  [[nodiscard]] static Keyring from_signed_by(std::string_view value, std::string origin);
  /// One of the keyrings built into the program ("debian-archive-keyring"). @throws Error of kind internal
  [[nodiscard]] static Keyring bundled(std::string_view name);

  /// Whether every key and subkey of `other` is among the keys here, whatever signatures each has.
  [[nodiscard]] bool holds_all_keys_of(const Keyring &other) const;

  /// Adds the keys of `other`.
  void add(const Keyring &other);

  [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
  /// Primary keys; subkeys do not count.
  [[nodiscard]] std::size_t key_count() const noexcept { return keys_.size(); }
  /// "/usr/share/keyrings/corp-archive.gpg (2 keys)", origins separated by commas.
  [[nodiscard]] std::string description() const;
  /// All keys as binary OpenPGP packets, one certificate after the other.
  [[nodiscard]] std::string bytes() const;

  /// A packet that stands for itself (key, user id, subkey) and the signatures on it, all as raw packets.
  struct Component {
    std::string packet;
    std::vector<std::string> signatures;
  };
  /// A primary key with everything that belongs to it; the primary key is the first component.
  using Certificate = std::vector<Component>;

 private:
  void add_certificate(const Certificate &certificate);

  std::vector<Certificate> keys_;
  std::vector<std::string> origins_;  ///< with the number of keys each brought
};

/// Whether a keyring holds the keys of suites that are past their end.
enum class RemovedKeys { without, with };

/// The keys of a known vendor ("debian", "ubuntu"): those built in and, where it exists, the host's
/// `/usr/share/keyrings/VENDOR-archive-keyring.{gpg,pgp}`; for an old suite also VENDOR-archive-removed-keys. Empty for
/// a vendor that is not known. `host_directory` stands for /usr/share/keyrings. @throws Error of kind trust when a file
/// of the host is there and cannot be read
[[nodiscard]] Keyring vendor_keyring(std::string_view vendor, RemovedKeys removed,
                                     const std::string &host_directory = "/usr/share/keyrings");

}  // namespace debroot::verify
