#include "build/root_skeleton.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "dpkgdb/path_rules.hpp"

namespace debroot::build {
namespace {

constexpr std::array<std::string_view, 7> kDirectories = {
    "/etc/apt/apt.conf.d", "/etc/apt/sources.list.d",    "/etc/apt/preferences.d",
    "/var/cache/apt",      "/var/lib/apt/lists/partial", "/var/lib/dpkg",
    "/var/log/apt"};

/// Named as mmdebstrap names it: its users' hooks may look for it.
constexpr std::string_view kBuildSettings = "/etc/apt/apt.conf.d/00mmdebstrap";
constexpr std::string_view kBuildSettingsText = "Apt::Install-Recommends false;\nAcquire::Languages \"none\";\n";

/// apt would otherwise have debconf ask its questions before dpkg runs.
constexpr std::string_view kPreconfigureSettings = "/etc/apt/apt.conf.d/99debconf";
constexpr std::string_view kPreconfigureSettingsText = "#clear DPkg::Pre-Install-Pkgs;\n";

void write_if_absent(const base::RootDirectory &root, std::string_view path, std::string_view content) {
  if (!root.exists(path)) root.write(path, content);
}

/// In a namespace of few ids nobody can own it but root, and apt goes on without its sandbox.
void give_to(const base::RootDirectory &root, std::string_view path, uid_t owner) {
  base::Fd directory = root.open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fchown(directory.get(), owner, 0) != 0 && errno == EINVAL) return;
  root.set_owner(path, owner, 0);
}

/// Option texts one after the other, each on lines of its own; a file's text stays as it is.
std::string option_text(const std::vector<std::string> &options) {
  std::string out;
  for (const std::string &option : options) {
    if (!out.empty() && out.back() != '\n') out += '\n';
    out += option;
  }
  return out;
}

}  // namespace

void make_skeleton(const base::RootDirectory &root, const BuildPlan &plan, const std::vector<SourcesText> &sources,
                   bool is_chrootless) {
  for (std::string_view directory : kDirectories) root.make_directories(directory);
  if (!is_chrootless || !plan.dpkg_options.empty()) root.make_directories("/etc/dpkg/dpkg.cfg.d");
  if (!is_chrootless) make_dpkg_directories(root);
  root.make_directories("/tmp");
  root.set_mode("/tmp", 01777);
  std::string architectures = plan.architecture + "\n";
  for (const std::string &foreign : plan.foreign_architectures) architectures += foreign + "\n";
  write_if_absent(root, "/var/lib/dpkg/arch", architectures);
  write_if_absent(root, "/var/lib/dpkg/status", "");
  write_if_absent(root, kBuildSettings, kBuildSettingsText);
  root.write(kPreconfigureSettings, kPreconfigureSettingsText);
  write_if_absent(root, "/etc/fstab", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n");
  if (!plan.apt_options.empty()) {
    write_if_absent(root, "/etc/apt/apt.conf.d/99mmdebstrap", option_text(plan.apt_options));
  }
  if (!plan.dpkg_options.empty()) {
    write_if_absent(root, "/etc/dpkg/dpkg.cfg.d/99mmdebstrap", option_text(plan.dpkg_options));
  }
  for (const SourcesText &file : sources) write_if_absent(root, file.path, file.text);
  for (const HostFile &file : plan.host_traces.files) {
    if (!root.exists(file.path)) root.write(file.path, file.content, file.mode);
  }
}

void remove_build_settings(const base::RootDirectory &root, const std::vector<std::string> &skips) {
  if (is_skipped(skips, "cleanup") || is_skipped(skips, "cleanup/mmdebstrap")) return;
  root.remove_file(kBuildSettings);
  root.remove_file(kPreconfigureSettings);
  // mmdebstrap's own settings for apt, which debroot has no need of, lie there until now
  if (root.exists("/tmp")) root.touch("/tmp");
}

void make_dpkg_directories(const base::RootDirectory &root) {
  for (const char *name : {"triggers", "info", "alternatives", "updates"}) {
    root.make_directories(fmt::format("/var/lib/dpkg/{}", name));
  }
  write_if_absent(root, "/var/lib/dpkg/status", "");
}

void settle_apt_state(const base::RootDirectory &root, const AptState &state) {
  uid_t owner = state.user_id ? *state.user_id : dpkgdb::AccountNames::read(root).uid("_apt").value_or(0);
  auto settle = [&](const std::string &directory, bool has_lock) {
    std::string partial = fmt::format("{}/partial", directory);
    std::string lock = fmt::format("{}/lock", directory);
    root.make_directories(partial);
    root.set_mode(partial, 0700);
    give_to(root, partial, owner);
    if (has_lock && !root.exists(lock)) root.write(lock, "", 0640);
  };
  if (state.has_lists) settle("/var/lib/apt/lists", true);
  if (state.has_auxiliary_files) {
    root.make_directories("/var/lib/apt/lists/auxfiles");
    give_to(root, "/var/lib/apt/lists/auxfiles", owner);
  }
  if (!state.has_archives) return;
  settle("/var/cache/apt/archives", state.has_archive_lock);
  root.touch("/var/cache/apt");  // apt has written its caches there and removed them
}

}  // namespace debroot::build
