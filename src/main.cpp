#include <unistd.h>

#include "cli/run.hpp"
#include "debroot/build.hpp"
#include "sandbox/probe.hpp"

namespace {

using debroot::cli::DoctorCheck;
using debroot::cli::DoctorState;

DoctorState state_of(debroot::sandbox::FindingState state) {
  switch (state) {
    case debroot::sandbox::FindingState::ok:
      return DoctorState::fine;
    case debroot::sandbox::FindingState::warn:
      return DoctorState::limited;
    case debroot::sandbox::FindingState::fail:
      break;
  }
  return DoctorState::broken;
}

/// Looks at emulation for every architecture of the current stable release.
std::vector<DoctorCheck> check_host(const debroot::plan::HostFacts &host) {
  std::string directory = host.variable("TMPDIR");
  std::vector<DoctorCheck> checks;
  for (auto &finding : debroot::sandbox::probe_host(directory.empty() ? "/tmp" : directory,
                                                    {"amd64", "arm64", "armhf", "ppc64el", "riscv64", "s390x"})) {
    checks.push_back({finding.subject, state_of(finding.state), finding.text, finding.remedy});
  }
  return checks;
}

}  // namespace

int main(int argument_count, char **arguments) {
  debroot::cli::Backend backend{debroot::build_image, debroot::plan_packages, check_host, {}};
  return debroot::cli::run_process(argument_count, arguments, environ, backend);
}
