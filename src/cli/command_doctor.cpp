#include "cli/commands.hpp"

namespace debroot::cli {

int run_doctor(const CommandContext &context) {
  std::vector<DoctorCheck> checks = context.backend.doctor(context.host);
  context.console.out(doctor_text(checks, context.console.uses_colour));
  return doctor_status(checks);
}

}  // namespace debroot::cli
