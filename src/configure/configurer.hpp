/// Configures unpacked packages: settles conffiles, runs postinst, runs triggers (dpkg's configure.c and trigproc.c in
/// behaviour).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "configure/dependencies.hpp"
#include "configure/maintainer_scripts.hpp"
#include "configure/trigger_engine.hpp"
#include "dpkgdb/database.hpp"
#include "dpkgdb/path_rules.hpp"

namespace debroot::configure {

/// What dpkg does with a conffile that is already there and differs (dpkg(1), --force-confold and friends).
enum class ConffileChoice { refuse, keep, replace };

/// Everything that configuring works on; all references outlive it.
struct ConfigureContext {
  const base::RootDirectory &root;
  dpkgdb::Database &database;
  TriggerEngine &triggers;
  MaintainerScripts &scripts;
  std::string native_architecture;
  ConffileChoice conffile_choice = ConffileChoice::refuse;
  /// Called after every script: reads again what a script may have changed.
  std::function<void()> after_script;
  /// Called as each package begins to be configured, for progress.
  std::function<void(const dpkgdb::PackageRecord &)> on_package;
};

class Configurer {
 public:
  explicit Configurer(ConfigureContext context) : context_(std::move(context)) {}

  /// Configures all of `keys` in dpkg's order: the given one, packages whose dependencies are not configured yet moving
  /// to the end, cycles broken when nothing else moves. With `runs_triggers`, what became pending is processed at the
  /// end, as `dpkg --configure` does without --no-triggers. @throws Error
  void configure(const std::vector<dpkgdb::PackageKey> &keys, bool runs_triggers);

  /// Configures everything that is unpacked and runs everything pending (`dpkg --configure --pending`). @throws Error
  void configure_pending();

  /// Runs the pending triggers of one package. @throws Error
  void process_triggers(dpkgdb::PackageRecord &record);

 private:
  void configure_one(dpkgdb::PackageRecord &record);
  void settle_conffile(dpkgdb::PackageRecord &record, dpkgdb::Conffile &conffile);
  void finish_script(dpkgdb::PackageRecord &record);
  void run_deferred_triggers();
  [[noreturn]] void refuse(const std::vector<dpkgdb::PackageKey> &stuck, Dependencies &dependencies);

  ConfigureContext context_;
};

}  // namespace debroot::configure
