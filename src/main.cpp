#include <unistd.h>

#include "cli/run.hpp"
#include "debroot/build.hpp"
#include "sandbox/probe.hpp"
#include "verify/keyring.hpp"

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

/// Throws for a keyring that cannot be read, as the build itself would.
bool holds_only_trusted_keys(const std::string &keyring, const std::vector<std::string> &trusted) {
  debroot::verify::Keyring known;
  for (const std::string &path : trusted) known.add(debroot::verify::Keyring::from_path(path));
  return known.holds_all_keys_of(debroot::verify::Keyring::from_path(keyring));
}

}  // namespace

int main(int argument_count, char **arguments) {
  debroot::cli::Backend backend{debroot::build_image, debroot::plan_packages, check_host, {}, holds_only_trusted_keys};
  return debroot::cli::run_process(argument_count, arguments, environ, backend);
}
