#include "cli/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/render_error.hpp"

namespace debroot::cli {
namespace {

std::string state_text(DoctorState state, bool uses_colour) {
  std::string_view word = state == DoctorState::fine ? "ok" : state == DoctorState::limited ? "limited" : "broken";
  std::string_view code = state == DoctorState::fine ? "32" : state == DoctorState::limited ? "33" : "1;31";
  std::string padded = fmt::format("{:<8}", word);
  return uses_colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, padded) : padded;
}

}  // namespace

std::string doctor_text(const std::vector<DoctorCheck> &checks, bool uses_colour) {
  std::size_t width = 0;
  for (const DoctorCheck &check : checks) width = std::max(width, check.subject.size());
  std::string out;
  for (const DoctorCheck &check : checks) {
    out += fmt::format("{} {:<{}}  {}\n", state_text(check.state, uses_colour), check.subject, width,
                       printable(check.text));
    if (check.remedy.empty()) continue;
    std::string_view label = "try: ";
    for (std::string_view line : base::split(check.remedy, '\n')) {
      out += fmt::format("{:>{}}{}{}\n", "", width + 11, label, printable(line));
      label = "     ";
    }
  }
  auto broken = std::count_if(checks.begin(), checks.end(),
                              [](const DoctorCheck &check) { return check.state == DoctorState::broken; });
  if (broken == 0) return out + "\nThis host can build images.\n";
  return out + fmt::format("\nThis host cannot build images until {} mended.\n",
                           broken == 1 ? std::string("one thing is") : fmt::format("{} things are", broken));
}

int doctor_status(const std::vector<DoctorCheck> &checks) noexcept {
  bool is_broken = std::any_of(checks.begin(), checks.end(),
                               [](const DoctorCheck &check) { return check.state == DoctorState::broken; });
  return is_broken ? kExitFailed : kExitDone;
}

}  // namespace debroot::cli
