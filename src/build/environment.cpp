#include "build/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

extern char **environ;  // NOLINT: the C library declares it only in <unistd.h> of some systems

namespace debroot::build {
namespace {

std::string_view name_of(std::string_view variable) { return variable.substr(0, variable.find('=')); }

}  // namespace

std::vector<std::string> own_environment(const HostTraces &traces, std::int64_t epoch) {
  std::vector<std::string> out = {"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
                                  "LC_ALL=C.UTF-8", "LANGUAGE=C.UTF-8", "LANG=C.UTF-8"};
  if (!traces.environment) out.push_back(fmt::format("SOURCE_DATE_EPOCH={}", epoch));
  return out;
}

std::vector<std::string> with_caller(const std::vector<std::string> &caller, const std::vector<std::string> &added) {
  std::vector<std::string> out;
  for (const std::string &variable : caller) {
    bool is_replaced = name_of(variable) == "TMPDIR" || name_of(variable) == "APT_CONFIG" ||
                       std::any_of(added.begin(), added.end(),
                                   [&](const std::string &own) { return name_of(own) == name_of(variable); });
    if (!is_replaced) out.push_back(variable);
  }
  out.insert(out.end(), added.begin(), added.end());
  return out;
}

std::vector<std::string> script_environment(const HostTraces &traces, std::int64_t epoch) {
  std::vector<std::string> out = own_environment(traces, epoch);
  out.insert(out.begin(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  out.emplace_back("DPKG_FRONTEND_LOCKED=true");
  if (traces.environment) return with_caller(*traces.environment, out);
  out.emplace_back("HOME=/root");
  return out;
}

std::vector<std::string> caller_environment() {
  std::vector<std::string> out;
  for (char **variable = environ; *variable != nullptr; ++variable) out.emplace_back(*variable);
  return out;
}

}  // namespace debroot::build
