/// The links that enabling a unit makes, as deb-systemd-helper reads them from unit files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stand_ins/dialect.hpp"

namespace debroot::stand_ins {

struct UnitLink {
  std::string path;    ///< of the link: "/etc/systemd/system/multi-user.target.wants/cron.service"
  std::string target;  ///< "/lib/systemd/system/cron.service"
};

/// Which units: those of the system or those of every user.
struct UnitScope {
  std::string_view instance;  ///< "system" or "user"
  Dialect dialect;
};

/// All links for the unit called `name`, those of its Also= included. Nothing when there is no such file, or one of its
/// lines is not of the usual form.
[[nodiscard]] std::optional<std::vector<UnitLink>> links_of(std::string_view name, const UnitScope &scope);

}  // namespace debroot::stand_ins
