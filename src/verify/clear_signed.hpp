/// The frame of a clear-signed message (RFC 4880 section 7), taken apart strictly: what apt refuses to see outside the
/// signed block is refused here too. Private to verify/.
#pragma once

#include <string>
#include <string_view>

namespace debroot::verify {

/// Whether `text` claims to be clear-signed.
[[nodiscard]] bool is_clear_signed(std::string_view text) noexcept;

/// The text between the armor lines with dashes unescaped. Nothing but one block may be in `message`: no line before
/// or after it, no header but `Hash`, no unescaped dash in it. @throws Error of kind trust whose message is the cause
/// alone ("text outside the signed block")
[[nodiscard]] std::string clear_signed_text(std::string_view message);

}  // namespace debroot::verify
