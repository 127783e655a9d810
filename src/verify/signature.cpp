#include "verify/signature.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "debroot/error.hpp"
#include "verify/clear_signed.hpp"
#include "verify/gpg.hpp"
#include "verify/seal.hpp"

namespace debroot::verify {

using State = Signature::State;

/// One Release file being checked; the friend of Seal that signatures go through.
class ReleaseVerification {
 public:
  /// `file` is "InRelease" or "Release".
  ReleaseVerification(std::string_view file, std::string_view suite, const Keyring &keyring)
      : keyring_(keyring), subject_(fmt::format("{} of suite '{}'", file, suite)) {
    if (keyring_.empty()) {
      Error error = refusal("no key is known for this archive");
      throw std::move(error.hint(kKeyringHint));
    }
  }

  [[nodiscard]] Error refusal(std::string_view cause) const {
    return {ErrorKind::trust, fmt::format("cannot trust {}: {}", subject_, cause)};
  }

  /// Decides over `signatures` and seals `text`, which they cover.
  [[nodiscard]] VerifiedRelease seal(const std::vector<Signature> &signatures, std::string text) const {
    VerifiedRelease out{Seal::bytes(std::move(text)), {}};
    for (const Signature &signature : signatures) {
      if (signature.state == State::bad) refuse(signatures);
      if (signature.state == State::good) out.signers.push_back(signature.key);
    }
    if (out.signers.empty()) refuse(signatures);
    return out;
  }

  /// Runs `check`, putting the subject before a bare cause.
  template <class Check>
  auto with_subject(Check check) const {
    try {
      return check();
    } catch (const Error &error) {
      if (error.kind() == ErrorKind::trust) throw refusal(error.message());
      throw;
    }
  }

 private:
  static constexpr const char *kKeyringHint = "--keyring=FILE with the archive's public key";

  [[noreturn]] void refuse(const std::vector<Signature> &signatures) const;

  const Keyring &keyring_;
  std::string subject_;
};

namespace {

std::string_view key_id(std::string_view key) { return key.size() > 16 ? key.substr(key.size() - 16) : key; }

std::string describe(const Signature &signature) {
  std::string by = fmt::format("signature by {}", key_id(signature.key));
  switch (signature.state) {
    case State::good:
      return "good " + by;
    case State::bad:
      return "bad " + by;
    case State::unknown_key:
      return by + ", key not in any keyring";
    case State::expired_key:
      return by + ", key expired";
    case State::revoked_key:
      return by + ", key revoked";
    case State::expired_signature: {
      std::time_t when = signature.expires_at;
      std::tm parts{};
      ::gmtime_r(&when, &parts);
      return by + fmt::format(", expired {:%Y-%m-%d}", parts);
    }
    case State::weak_digest:
      return by + " over a digest that is not SHA-2";
    case State::unusable:
      break;
  }
  return by + fmt::format(", {}", signature.cause);
}

/// The sentence for what is wrong, worst first: a known key tells more than an unknown one.
std::string_view cause_of(const std::vector<Signature> &signatures) {
  struct Cause {
    State state;
    std::string_view text;
  };
  constexpr Cause kCauses[] = {
      {State::bad, "bad signature, the text was altered"},
      {State::revoked_key, "the key that signed it was revoked"},
      {State::expired_key, "the key that signed it has expired"},
      {State::expired_signature, "its signature has expired"},
      {State::weak_digest, "its signature uses a weak digest"},
      {State::unusable, "its signature cannot be checked"},
      {State::unknown_key, "no signature by a known key"},
  };
  for (const Cause &cause : kCauses) {
    if (std::any_of(signatures.begin(), signatures.end(),
                    [&](const auto &each) { return each.state == cause.state; })) {
      return cause.text;
    }
  }
  return "it is not signed";
}

}  // namespace

void ReleaseVerification::refuse(const std::vector<Signature> &signatures) const {
  std::string_view cause = cause_of(signatures);
  Error error = refusal(cause);
  for (const Signature &signature : signatures) error.detail("got", describe(signature));
  error.detail("expected", fmt::format("a key from {}", keyring_.description()));
  auto has = [&](State state) {
    return std::any_of(signatures.begin(), signatures.end(), [&](const auto &each) { return each.state == state; });
  };
  if (has(State::bad) || has(State::revoked_key)) {
  } else if (has(State::expired_key)) {
    error.hint("--keyring=FILE with a newer copy of the key");
  } else if (has(State::unknown_key)) {
    error.hint(kKeyringHint);
  }
  throw error;
}

VerifiedRelease verify_inrelease(base::UntrustedBytes inrelease, const Keyring &keyring, std::string_view suite,
                                 const GpgSettings &settings) {
  ReleaseVerification verification("InRelease", suite, keyring);
  GpgResult result = verification.with_subject([&] {
    // The frame is checked for what gpg would let pass; the text that is handed on is gpg's.
    static_cast<void>(clear_signed_text(inrelease.unchecked()));
    return run_gpg(inrelease.unchecked(), nullptr, keyring, settings);
  });
  return verification.seal(result.signatures, std::move(result.text));
}

VerifiedRelease verify_release(base::UntrustedBytes release, const base::UntrustedBytes &release_gpg,
                               const Keyring &keyring, std::string_view suite, const GpgSettings &settings) {
  ReleaseVerification verification("Release", suite, keyring);
  const std::string_view detached = release_gpg.unchecked();
  GpgResult result =
      verification.with_subject([&] { return run_gpg(release.unchecked(), &detached, keyring, settings); });
  return verification.seal(result.signatures, std::move(release).take_unchecked());
}

VerifiedRelease accept_unsigned(base::UntrustedBytes release) {
  if (!is_clear_signed(release.unchecked())) return {Seal::bytes(std::move(release).take_unchecked()), {}};
  try {
    return {Seal::bytes(clear_signed_text(release.unchecked())), {}};
  } catch (const Error &error) {
    throw Error(ErrorKind::trust, fmt::format("cannot read InRelease: {}", error.message()));
  }
}

}  // namespace debroot::verify
