/// /proc, /sys and devices in the root while hooks run, which reach them by the root's path.
#pragma once

#include <string>
#include <vector>

#include "base/beneath.hpp"

namespace debroot::customize {

/// What is to stand below the root's /dev: a directory, a link, or the host's device of the same path.
struct DevicePlace {
  enum class Kind { directory, link, node };
  std::string path;  ///< "/dev/null"
  Kind kind = Kind::node;
  std::string link_target;
};

struct HookMountOptions {
  std::vector<std::string> skips;    ///< values of --skip
  std::vector<DevicePlace> devices;  ///< to be mounted; empty: the root has nodes of its own
  bool is_read_only = false;         ///< /proc and /sys: what is written to them as real root changes the host
};

/// Mounted as long as it lives. What is not allowed, or has no place in the root, is left out. Only the listed devices
/// are shown: to remove one of the host's own from the whole of its /dev would take it from the host.
class HookMounts {
 public:
  HookMounts(const base::RootDirectory &root, const std::string &root_path, const HookMountOptions &options);
  HookMounts(const HookMounts &) = delete;
  HookMounts &operator=(const HookMounts &) = delete;
  ~HookMounts();

 private:
  /// What leads to the root; nothing once a hook has made it the root directory.
  [[nodiscard]] std::string prefix_now() const;
  bool bind(const std::string &from, const std::string &path);
  bool mount_new(const std::string &path, const char *type, const char *data);
  void place(const DevicePlace &device);
  void mount_devices(const HookMountOptions &options);

  const base::RootDirectory &root_;
  std::string root_path_;
  std::vector<std::string> mounted_;  ///< below the root, in the order they were mounted
  std::vector<std::string> placed_;   ///< files and links made for devices
  std::vector<std::string> placed_directories_;
};

}  // namespace debroot::customize
