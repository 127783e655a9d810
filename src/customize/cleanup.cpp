#include "customize/cleanup.hpp"

#include <array>

#include "base/text.hpp"
#include "debroot/plan.hpp"

namespace debroot::customize {
namespace {

constexpr std::string_view kMachineId = "/etc/machine-id";

/// Files that record when something ran; an image built twice would differ in them.
constexpr std::array<std::string_view, 8> kVolatileFiles = {"/var/log/dpkg.log",
                                                            "/var/log/apt/history.log",
                                                            "/var/log/apt/term.log",
                                                            "/var/log/alternatives.log",
                                                            "/var/cache/ldconfig/aux-cache",
                                                            "/var/log/apt/eipp.log.xz",
                                                            "/var/lib/dbus/machine-id",
                                                            kMachineId};

/// Directory and name pattern of what is drawn at random.
constexpr std::array<std::array<std::string_view, 2>, 4> kRandomFiles = {{
    {"/etc/ssh", "ssh_host_*_key*"},
    {"/etc/ssl/private", "ssl-cert-snakeoil.key"},
    {"/etc/ssl/certs", "ssl-cert-snakeoil.pem"},
    {"/var/lib/systemd", "random-seed"},
}};

}  // namespace

CleanupOptions cleanup_options(const std::vector<std::string> &skips) {
  bool all = is_skipped(skips, "cleanup");
  bool apt = all || is_skipped(skips, "cleanup/apt");
  bool reproducible = all || is_skipped(skips, "cleanup/reproducible");
  CleanupOptions options;
  options.keeps_apt_lists = apt || is_skipped(skips, "cleanup/apt/lists");
  options.keeps_auxiliary_files = apt;
  options.keeps_apt_cache = apt || is_skipped(skips, "cleanup/apt/cache");
  options.keeps_logs = reproducible;
  options.keeps_machine_id = reproducible || is_skipped(skips, "cleanup/reproducible/machine-id");
  options.keeps_run = all || is_skipped(skips, "cleanup/run");
  options.keeps_tmp = all || is_skipped(skips, "cleanup/tmp");
  return options;
}

void clean_up(const base::RootDirectory &root, const CleanupOptions &options) {
  if (!options.keeps_apt_lists) root.clear_directory("/var/lib/apt/lists", {"lock", "partial"});
  // a hook's apt-get update may have made it where the lists are to stay
  if (!options.keeps_auxiliary_files) root.remove_tree("/var/lib/apt/lists/auxfiles");
  if (!options.keeps_apt_cache) {
    root.clear_directory("/var/cache/apt/archives", {"lock", "partial"});
    root.remove_file("/var/cache/apt/pkgcache.bin");
    root.remove_file("/var/cache/apt/srcpkgcache.bin");
  }
  if (!options.keeps_logs) {
    for (std::string_view path : kVolatileFiles) {
      if (path != kMachineId) root.remove_file(path);
    }
  }
  if (!options.keeps_machine_id && root.exists(kMachineId)) {
    root.remove_file(kMachineId);
    root.write(kMachineId, "");
  }
  if (!options.keeps_run) root.clear_directory("/run", {"lock"});
  if (!options.keeps_tmp) root.clear_directory("/tmp");
}

std::span<const std::string_view> volatile_files() noexcept { return kVolatileFiles; }

std::vector<std::string> random_files(const base::RootDirectory &root) {
  std::vector<std::string> out;
  for (const auto &[directory, pattern] : kRandomFiles) {
    for (const std::string &name : root.list(directory)) {
      if (base::glob_match(std::string(pattern), name)) out.push_back(std::string(directory) + "/" + name);
    }
  }
  return out;
}

}  // namespace debroot::customize
