#include "verify/clear_signed.hpp"

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::verify {
namespace {

constexpr std::string_view kBeginMessage = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kBeginSignature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEndSignature = "-----END PGP SIGNATURE-----";

[[noreturn]] void refuse(const char *cause) { throw Error(ErrorKind::trust, cause); }

/// Lines of a message, one after the other; blanks at their ends do not count (they are not signed either).
class Lines {
 public:
  explicit Lines(std::string_view text) noexcept : rest_(text) {}
  /// The next line; a text that ends here is cut off.
  std::string_view next() {
    if (rest_.empty()) refuse("it is cut off");
    std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line.substr(0, line.find_last_not_of(" \t\r") + 1);
  }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace

bool is_clear_signed(std::string_view text) noexcept { return text.find(kBeginMessage) != std::string_view::npos; }

std::string clear_signed_text(std::string_view message) {
  if (!is_clear_signed(message)) refuse("it is not signed");
  Lines lines(message);
  if (lines.next() != kBeginMessage) refuse("text outside the signed block");
  for (std::string_view line = lines.next(); !line.empty(); line = lines.next()) {
    if (!line.starts_with("Hash: ")) refuse("unknown header in the signed block");
  }
  std::string text;
  text.reserve(message.size());
  while (true) {
    std::string_view line = lines.next();
    if (line == kBeginSignature) break;
    if (line.starts_with("- ")) {
      line.remove_prefix(2);
    } else if (line.starts_with('-')) {
      refuse("unescaped dash in the signed block");
    }
    text += line;
    text += '\n';
  }
  for (std::string_view line = lines.next(); line != kEndSignature; line = lines.next()) {
    if (line.starts_with('-')) refuse("its signature armor is damaged");
  }
  if (!base::trim(lines.rest()).empty()) refuse("text outside the signed block");
  return text;
}

}  // namespace debroot::verify
