/// What `debroot doctor` shows. The checks themselves are made elsewhere; this is their neutral form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace debroot::cli {

enum class DoctorState {
  fine,     ///< nothing to do
  limited,  ///< builds work, but something special does not (a foreign architecture, a cache)
  broken,   ///< builds will fail until it is mended
};

/// One thing that was looked at.
struct DoctorCheck {
  std::string subject;  ///< "user namespaces"
  DoctorState state = DoctorState::fine;
  std::string text;    ///< what was found: "allowed", "'joe' has no line in /etc/subuid"
  std::string remedy;  ///< a command or a sentence; empty when there is nothing to mend or no known way
};

/// One line a check, its remedy below, and a verdict at the end.
[[nodiscard]] std::string doctor_text(const std::vector<DoctorCheck> &checks, bool uses_colour);

/// 0 when no check is broken, else 1.
[[nodiscard]] int doctor_status(const std::vector<DoctorCheck> &checks) noexcept;

}  // namespace debroot::cli
