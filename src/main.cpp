#include <unistd.h>

#include <iostream>

#include "base/beneath.hpp"
#include "base/text.hpp"
#include "cli/run.hpp"
#include "customize/hook_listener.hpp"
#include "customize/special_verbs.hpp"
#include "debroot/build.hpp"
#include "sandbox/probe.hpp"
#include "sandbox/unshare_command.hpp"
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

/// The half of a special hook inside the root: ROOT MODE HOOK SKIP VERBOSITY VERB PATH….
void help_hook(const std::vector<std::string> &words) {
  constexpr std::size_t kSkipsAt = 3;
  constexpr std::size_t kVerbAt = 5;
  namespace customize = debroot::customize;
  auto root = debroot::base::RootDirectory::open(words[0]);
  customize::HookWire wire(STDIN_FILENO, STDOUT_FILENO);
  std::vector<std::string> skips;
  for (std::string_view skip : debroot::base::split_words(words[kSkipsAt], ",")) skips.emplace_back(skip);
  auto warn = [](const std::string &text) { std::cerr << "debroot: warning: " << text << '\n'; };
  customize::run_special_verb({root, wire, skips, warn}, {words.begin() + kVerbAt, words.end()});
}

/// The half outside.
void listen_to_hooks(const std::function<void(const debroot::Error &)> &on_failure) {
  debroot::customize::HookWire wire(STDIN_FILENO, STDOUT_FILENO);
  debroot::customize::serve_hook_requests(wire, on_failure);
}

}  // namespace

int main(int argument_count, char **arguments) {
  debroot::cli::Backend backend{
      debroot::build_image, debroot::plan_packages,         check_host, help_hook,
      listen_to_hooks,      debroot::sandbox::run_unshared, {},         holds_only_trusted_keys};
  return debroot::cli::run_process(argument_count, arguments, environ, backend);
}
