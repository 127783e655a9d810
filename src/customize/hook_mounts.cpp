#include "customize/hook_mounts.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <array>

#include "debroot/plan.hpp"

namespace debroot::customize {

HookMounts::HookMounts(const std::string &root_path, const std::vector<std::string> &skips) {
  if (is_skipped(skips, "chroot/mount")) return;
  for (std::string_view name : {"proc", "sys", "dev"}) {
    if (is_skipped(skips, fmt::format("chroot/mount/{}", name))) continue;
    std::string from = fmt::format("/{}", name);
    std::string onto = root_path + from;
    if (::mount(from.c_str(), onto.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0) mounted_.push_back(onto);
  }
}

HookMounts::~HookMounts() {
  for (const std::string &path : mounted_) ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
}

}  // namespace debroot::customize
