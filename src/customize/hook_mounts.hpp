/// What of the host is laid over the root while hooks run, so that programs which they start in it find /proc and
/// devices.
#pragma once

#include <string>
#include <vector>

namespace debroot::customize {

class HookMounts {
 public:
  /// Binds /proc, /sys and /dev of the host into the root, those that `skips` (values of --skip) allow. A root without
  /// such a directory, or a host that forbids the bind, leaves that one out, as mmdebstrap does. Must run in a mount
  /// namespace of the build's own.
  HookMounts(const std::string &root_path, const std::vector<std::string> &skips);
  HookMounts(const HookMounts &) = delete;
  HookMounts &operator=(const HookMounts &) = delete;
  /// Takes them away; processes that still use them keep them.
  ~HookMounts();

 private:
  std::vector<std::string> mounted_;
};

}  // namespace debroot::customize
