#include "configure/maintainer_scripts.hpp"

#include <fmt/format.h>

#include <csignal>

#include "base/text.hpp"
#include "debian/version.hpp"
#include "debroot/error.hpp"

namespace debroot::configure {
namespace {

constexpr std::size_t kShownOutputLines = 200;
/// Since this version dpkg tells its tools within scripts what is forced.
constexpr std::string_view kFirstWithForce = "1.19.5";

std::string ending_of(const ScriptResult &result) {
  if (!result.start_failure.empty()) return result.start_failure;
  if (result.signal != 0) return fmt::format("was killed by signal {}", result.signal);
  return fmt::format("exited with status {}", result.exit_status);
}

Error script_error(const std::string &origin_sentence, std::string_view work, const dpkgdb::PackageRecord &record,
                   const ScriptResult &result) {
  Error error(ErrorKind::script, fmt::format("{} {}", origin_sentence, ending_of(result)));
  error.frame(fmt::format("{} the packages (state of this one: {})", work, dpkgdb::state_name(record.state)));
  std::vector<std::string_view> lines = base::split(base::trim(result.output), '\n');
  if (lines.size() == 1 && lines[0].empty()) {
    error.detail("output", "(none)");
    return error;
  }
  std::size_t first = lines.size() > kShownOutputLines ? lines.size() - kShownOutputLines : 0;
  if (first > 0) error.detail("output", fmt::format("({} lines before these)", first));
  for (std::size_t i = first; i < lines.size(); ++i) error.detail("output", std::string(lines[i]));
  return error;
}

}  // namespace

bool MaintainerScripts::run_preinst(const dpkgdb::PackageRecord &record, const std::vector<std::string> &arguments) {
  return run(record, "preinst", fmt::format("{}/preinst", kControlDirectory), arguments);
}

bool MaintainerScripts::run_postinst(const dpkgdb::PackageRecord &record, const std::vector<std::string> &arguments) {
  return run(record, "postinst", dpkgdb::Database::info_path(record, "postinst"), arguments);
}

/// How many architectures of the package are there, the one at hand included.
std::size_t MaintainerScripts::count_instances(std::string_view package) const {
  std::size_t count = 0;
  for (const auto &[key, record] : database_.records()) {
    if (key.name == package && record.state > dpkgdb::State::not_installed) ++count;
  }
  return count;
}

std::vector<std::string> MaintainerScripts::environment_of(const dpkgdb::PackageRecord &record,
                                                           std::string_view name) const {
  std::vector<std::string> out = settings_.environment;
  for (std::string variable :
       {fmt::format("DPKG_MAINTSCRIPT_PACKAGE={}", record.name()),
        fmt::format("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT={}", count_instances(record.name())),
        fmt::format("DPKG_MAINTSCRIPT_ARCH={}", record.architecture()), fmt::format("DPKG_MAINTSCRIPT_NAME={}", name),
        std::string("DPKG_MAINTSCRIPT_DEBUG=0"), fmt::format("DPKG_RUNNING_VERSION={}", settings_.dpkg_version),
        fmt::format("DPKG_ADMINDIR={}{}", settings_.root_seen_outside, dpkgdb::kAdminDirectory),
        fmt::format("DPKG_ROOT={}", settings_.root_seen_outside)}) {
    out.push_back(std::move(variable));
  }
  if (!settings_.root_seen_outside.empty()) {
    out.emplace_back("DPKG_FORCE=security-mac,downgrade,not-root,script-chrootless");
  } else if (debian::compare_versions(settings_.dpkg_version, kFirstWithForce) >= 0) {
    out.emplace_back("DPKG_FORCE=security-mac,downgrade");
  }
  return out;
}

bool MaintainerScripts::run(const dpkgdb::PackageRecord &record, std::string_view name, const std::string &path,
                            const std::vector<std::string> &arguments) {
  std::optional<struct stat> info = root_.status_followed(path);
  if (!info) return false;
  if ((info->st_mode & 0555) != 0555) root_.set_mode(path, 0755);  // dpkg runs scripts that came without those bits
  std::string package = to_string(record.id());
  ScriptCall call;
  call.origin = fmt::format("{} of {}", name, package);
  call.argv = {settings_.root_seen_outside + path};
  call.argv.insert(call.argv.end(), arguments.begin(), arguments.end());
  call.environment = environment_of(record, name);
  ScriptResult result = host_.run(call);
  std::string_view work = name == "preinst" ? "unpacking" : "configuring";
  if (!result.is_success()) throw script_error(fmt::format("{} of '{}'", name, package), work, record, result);
  return true;
}

}  // namespace debroot::configure
