/// Containers of OpenPGP public keys taken apart: armor, GnuPG's keybox, packets (RFC 4880 sections 4 and 6). Pure
/// functions over bytes; what a signature is worth is gpg's affair. Private to verify/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verify/keyring.hpp"

namespace debroot::verify {

/// The certificates in `bytes`, which are armored, a keybox or plain packets, in their order. Trust packets (a local
/// cache of gpg's) are dropped, lengths are re-encoded so that equal packets have equal bytes.
/// @throws Error of kind trust whose message is the cause alone ("no OpenPGP public key in it"); callers put the origin
/// before it
[[nodiscard]] std::vector<Keyring::Certificate> read_certificates(std::string_view bytes);

/// Whether an encoded packet is a public key or subkey, rather than a user id.
[[nodiscard]] bool is_key_packet(std::string_view packet) noexcept;

/// Adds to `into` what `from`, a copy of the same primary key, has and `into` lacks.
void merge_certificate(Keyring::Certificate &into, const Keyring::Certificate &from);

}  // namespace debroot::verify
