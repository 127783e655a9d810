#include "customize/cleanup.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace debroot::customize {
namespace {

/// Files that record when something ran; an image built twice would differ in them.
constexpr std::array<std::string_view, 7> kVolatileFiles = {
    "/var/log/dpkg.log",         "/var/log/apt/history.log",      "/var/log/apt/term.log",
    "/var/log/alternatives.log", "/var/cache/ldconfig/aux-cache", "/var/log/apt/eipp.log.xz",
    "/var/lib/dbus/machine-id"};

/// Directory and name pattern of what is drawn at random.
constexpr std::array<std::array<std::string_view, 2>, 4> kRandomFiles = {{
    {"/etc/ssh", "ssh_host_*_key*"},
    {"/etc/ssl/private", "ssl-cert-snakeoil.key"},
    {"/etc/ssl/certs", "ssl-cert-snakeoil.pem"},
    {"/var/lib/systemd", "random-seed"},
}};

bool contains(const std::vector<std::string> &skips, std::string_view value) {
  return std::find(skips.begin(), skips.end(), value) != skips.end();
}

}  // namespace

CleanupOptions cleanup_options(const std::vector<std::string> &skips) {
  bool all = contains(skips, "cleanup");
  bool apt = all || contains(skips, "cleanup/apt");
  bool reproducible = all || contains(skips, "cleanup/reproducible");
  CleanupOptions options;
  options.keeps_apt_lists = apt || contains(skips, "cleanup/apt/lists");
  options.keeps_apt_cache = apt || contains(skips, "cleanup/apt/cache");
  options.keeps_logs = reproducible;
  options.keeps_machine_id = reproducible || contains(skips, "cleanup/reproducible/machine-id");
  options.keeps_run = all || contains(skips, "cleanup/run");
  options.keeps_tmp = all || contains(skips, "cleanup/tmp");
  return options;
}

void clean_up(const base::RootDirectory &root, const CleanupOptions &options) {
  if (!options.keeps_apt_lists) root.clear_directory("/var/lib/apt/lists", {"lock", "partial"});
  if (!options.keeps_apt_cache) {
    root.clear_directory("/var/cache/apt/archives", {"lock", "partial"});
    root.remove_file("/var/cache/apt/pkgcache.bin");
    root.remove_file("/var/cache/apt/srcpkgcache.bin");
  }
  if (!options.keeps_logs) {
    for (std::string_view path : kVolatileFiles) root.remove_file(path);
  }
  if (!options.keeps_machine_id && root.exists("/etc/machine-id")) {
    root.remove_file("/etc/machine-id");
    root.write("/etc/machine-id", "");
  }
  if (!options.keeps_run) root.clear_directory("/run", {"lock"});
  if (!options.keeps_tmp) root.clear_directory("/tmp");
}

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
