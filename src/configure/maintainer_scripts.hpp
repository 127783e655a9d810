/// Calls maintainer scripts the way dpkg does (Policy chapter 6, dpkg(1) ENVIRONMENT).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "configure/script_host.hpp"
#include "dpkgdb/database.hpp"

namespace debroot::configure {

/// Environment that all scripts of a build share, to which dpkg's own variables are added.
struct ScriptSettings {
  std::vector<std::string> environment;
  std::string dpkg_version;  ///< of the root's own dpkg, which the scripts may compare with
  /// Where scripts that run outside of the root find it; empty: they run inside.
  std::string root_seen_outside = {};
};

class MaintainerScripts {
 public:
  /// All but the settings must outlive it.
  MaintainerScripts(const base::RootDirectory &root, const dpkgdb::Database &database, ScriptHost &host,
                    ScriptSettings settings)
      : root_(root), database_(database), host_(host), settings_(std::move(settings)) {}

  /// Runs /var/lib/dpkg/tmp.ci/preinst if it is there. @return whether a script ran. @throws Error of kind script
  bool run_preinst(const dpkgdb::PackageRecord &record, const std::vector<std::string> &arguments);
  /// Runs the installed postinst if there is one. @return whether a script ran. @throws Error of kind script
  bool run_postinst(const dpkgdb::PackageRecord &record, const std::vector<std::string> &arguments);

 private:
  bool run(const dpkgdb::PackageRecord &record, std::string_view name, const std::string &path,
           const std::vector<std::string> &arguments);
  [[nodiscard]] std::size_t count_instances(std::string_view package) const;
  [[nodiscard]] std::vector<std::string> environment_of(const dpkgdb::PackageRecord &record,
                                                        std::string_view name) const;

  const base::RootDirectory &root_;
  const dpkgdb::Database &database_;
  ScriptHost &host_;
  ScriptSettings settings_;
};

/// Where dpkg keeps the control files of the package it is unpacking.
inline constexpr std::string_view kControlDirectory = "/var/lib/dpkg/tmp.ci";

}  // namespace debroot::configure
