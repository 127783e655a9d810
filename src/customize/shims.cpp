#include "customize/shims.hpp"

#include <string>

namespace debroot::customize {
namespace {

constexpr std::string_view kPolicy = "/usr/sbin/policy-rc.d";
constexpr std::string_view kPolicyText = "#!/bin/sh\nexit 101\n";
constexpr std::string_view kDaemonText =
    "#!/bin/sh\necho 'W: start-stop-daemon is disabled while the image is built' >&2\n";
constexpr std::string_view kDaemons[] = {"/sbin/start-stop-daemon", "/usr/sbin/start-stop-daemon"};

std::string real_name(std::string_view daemon) { return std::string(daemon) + ".REAL"; }

}  // namespace

void install_shims(const base::RootDirectory &root, const ShimChoice &choice) {
  if (choice.policy && root.exists("/usr/sbin")) root.write(kPolicy, kPolicyText, 0755);
  if (!choice.daemon) return;
  for (std::string_view daemon : kDaemons) {
    // on a merged /usr both names are the same file: the first rename has served the second
    if (!root.status(daemon) || root.exists(real_name(daemon))) continue;
    root.rename(daemon, real_name(daemon));
    root.write(daemon, kDaemonText, 0755);
  }
}

void remove_shims(const base::RootDirectory &root) {
  if (auto info = root.status(kPolicy); info && S_ISREG(info->st_mode)) root.remove_file(kPolicy);
  for (std::string_view daemon : kDaemons) {
    if (root.exists(real_name(daemon))) root.rename(real_name(daemon), daemon);
  }
}

}  // namespace debroot::customize
