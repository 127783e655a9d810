#include "customize/resolver.hpp"

#include <fcntl.h>

namespace debroot::customize {
namespace {

constexpr std::string_view kResolver = "/etc/resolv.conf";

std::string host_text() {
  base::Fd fd(::open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC));
  if (!fd) return {};
  return base::read_all(fd.get());
}

/// Target of the root's link as a path from the root: "../run/x" of /etc is "/run/x".
std::string target_path(const std::string &target) {
  constexpr std::string_view kUp = "../";
  if (target.substr(0, kUp.size()) == kUp) return "/" + target.substr(kUp.size());
  return target.empty() || target[0] == '/' ? target : "/etc/" + target;
}

}  // namespace

HostResolver::HostResolver(const base::RootDirectory &root) : root_(root), content_(host_text()) {
  if (content_.empty() || !root.exists("/etc")) return;
  std::string path(kResolver);
  if (std::optional<std::string> target = root.link_target(kResolver)) {
    path = target_path(*target);
    if (path.substr(0, 5) != "/run/") return;
    root.make_directories(path.substr(0, path.rfind('/')));
  }
  former_ = root.try_read(path);
  if (former_) mode_ = root.status_followed(path)->st_mode & 07777;
  root.write(path, content_);
  path_ = path;
}

HostResolver::~HostResolver() {
  try {
    remove();
  } catch (const Error &) {
    // a destructor does not report; the image is thrown away when something this basic fails
  }
}

void HostResolver::remove() {
  if (path_.empty()) return;
  std::string path = std::move(path_);
  path_.clear();
  if (root_.try_read(path) != content_) return;  // the hook's own work stays
  if (former_) {
    root_.write(path, *former_, mode_);
  } else {
    root_.remove_file(path);
  }
}

}  // namespace debroot::customize
