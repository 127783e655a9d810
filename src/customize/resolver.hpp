/// Lets names resolve inside the root while a hook runs, without leaving anything of the host in the image.
#pragma once

#include <optional>
#include <string>

#include "base/beneath.hpp"

namespace debroot::customize {

/// Puts the host's resolv.conf where the root's programs look for it: at /etc/resolv.conf when there is none, at the
/// target of its link when that dangles below /run. A regular file that a package made is used as it is, but set aside
/// while the hook runs.
class HostResolver {
 public:
  explicit HostResolver(const base::RootDirectory &root);
  HostResolver(const HostResolver &) = delete;
  HostResolver &operator=(const HostResolver &) = delete;
  ~HostResolver();

  /// Takes it away, unless the hook has written something else there. Also done by the destructor.
  void remove();

 private:
  const base::RootDirectory &root_;
  std::string content_;
  std::string path_;                   ///< where the host's text was put; empty when nothing was
  std::optional<std::string> former_;  ///< what a package had there
  mode_t mode_ = 0644;                 ///< of the former file
};

}  // namespace debroot::customize
