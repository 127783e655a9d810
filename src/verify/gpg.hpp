/// gpg by way of gpgme, wrapped: bytes in, a list of judged signatures out. Private to verify/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/keyring.hpp"
#include "verify/signature.hpp"

namespace debroot::verify {

/// What one signature on a message is worth.
struct Signature {
  enum class State {
    good,
    bad,                ///< the text is not what was signed
    unknown_key,        ///< made by a key that is not in the keyring
    expired_key,        ///< the key's expiry date is over
    revoked_key,        ///< the key's owner withdrew it
    expired_signature,  ///< the signature's own expiry date is over
    weak_digest,        ///< otherwise good, but over MD5, SHA-1 or RIPEMD-160
    unusable,           ///< gpg cannot judge it (an algorithm it lacks)
  };
  State state = State::unusable;
  std::string key;              ///< fingerprint where gpg tells it, else the 16-digit key id
  std::int64_t expires_at = 0;  ///< Unix time; only for expired_signature
  std::string cause;            ///< gpg's words, only for unusable
};

/// Outcome of one verification.
struct GpgResult {
  std::vector<Signature> signatures;
  std::string text;  ///< the signed text as gpg read it; empty for detached signatures
};

/// Runs gpg over a clear-signed `message`, or over `message` and its `detached` signature. Trust is not decided here.
/// @throws Error of kind sandbox when gpg is missing or cannot be run; of kind trust, the cause alone as its message,
/// when `message` is nothing that gpg can read
[[nodiscard]] GpgResult run_gpg(std::string_view message, const std::string_view *detached, const Keyring &keyring,
                                const GpgSettings &settings);

}  // namespace debroot::verify
