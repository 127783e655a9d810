/// Trust by signature: the Release file of a suite against the keys of its archive.
///
/// gpg (through gpgme) does the cryptography, in a private home made for one verification: no agent, no network, no
/// configuration of the user, no key but those of the Keyring given. A key is trusted because it is in that keyring.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/trust.hpp"
#include "verify/keyring.hpp"

namespace debroot::verify {

/// A Release file that may be parsed.
struct VerifiedRelease {
  base::VerifiedBytes text;          ///< exactly what was signed: no armor, dashes unescaped
  std::vector<std::string> signers;  ///< fingerprints of the keys that made good signatures; empty for accept_unsigned
};

/// How gpg is run.
struct GpgSettings {
  std::string program;                       ///< absolute path; empty: `gpg` of $PATH
  std::string temporary_directory = "/tmp";  ///< where the private home is made
};

/// Checks a clear-signed `inrelease` of `suite`. One good signature by a key of `keyring` suffices, whoever else
/// signed; a bad one by such a key is refused whatever the others say, as is any text outside the signed block.
/// Signatures over MD5, SHA-1 or RIPEMD-160 do not count. Safe to call from several threads.
/// @throws Error of kind trust: "cannot trust InRelease of suite 'S': …"; of kind sandbox when there is no gpg
[[nodiscard]] VerifiedRelease verify_inrelease(base::UntrustedBytes inrelease, const Keyring &keyring,
                                               std::string_view suite, const GpgSettings &settings = {});

/// As verify_inrelease for a plain Release file with the detached signature `release_gpg`, armored or binary.
[[nodiscard]] VerifiedRelease verify_release(base::UntrustedBytes release, const base::UntrustedBytes &release_gpg,
                                             const Keyring &keyring, std::string_view suite,
                                             const GpgSettings &settings = {});

/// Takes a Release or InRelease file of a source marked [trusted=yes] as it is; the signature armor of an InRelease is
/// taken off without being looked at. @throws Error of kind trust when the armor is cut off
[[nodiscard]] VerifiedRelease accept_unsigned(base::UntrustedBytes release);

}  // namespace debroot::verify
