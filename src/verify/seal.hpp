/// The one place that may call bytes verified.
///
/// Nothing outside verify/ can use it: every function is private, and only the checkers of this module are friends. A
/// new friend is a new way to make data trusted and deserves that kind of review.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "base/trust.hpp"

namespace debroot::verify {

struct VerifiedRelease;

/// Turns checked data into the types that parsers accept; see base/trust.hpp.
class Seal {
  friend base::VerifiedBytes check_bytes(base::UntrustedBytes bytes, const std::string &sha256,
                                         std::uint64_t size_bytes, std::string_view subject);
  friend base::VerifiedFile check_file(base::UntrustedFile file, const std::string &sha256, std::uint64_t size_bytes,
                                       std::string_view subject);
  friend class ReleaseVerification;
  friend VerifiedRelease accept_unsigned(base::UntrustedBytes release);

  [[nodiscard]] static base::VerifiedBytes bytes(std::string checked) {
    return base::VerifiedBytes(std::move(checked));
  }
  [[nodiscard]] static base::VerifiedFile file(base::Fd checked, std::uint64_t size_bytes) {
    return {std::move(checked), size_bytes};
  }
};

}  // namespace debroot::verify
