/// How far builder and scripts are kept from the host.
#pragma once

namespace debroot::sandbox {

enum class Confinement {
  namespaces,  ///< in namespaces of their own; scripts have the tree as their root directory, with /proc, /dev and /sys
  chroot,      ///< real root that may not mount: scripts are changed into the tree and see nothing but it
  host,        ///< no privileges are needed: scripts run on the host's own tools and are told where the tree is
};

}  // namespace debroot::sandbox
