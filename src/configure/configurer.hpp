/// Configures unpacked packages: settles conffiles, runs postinst, runs triggers (dpkg's configure.c and trigproc.c in
/// behaviour).
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "configure/dependencies.hpp"
#include "configure/maintainer_scripts.hpp"
#include "configure/trigger_cycle.hpp"
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

  /// Configures all of `keys`, which were unpacked in that order just now, and runs the triggers that became pending
  /// (the second half of `dpkg --install`). The order is dpkg's: the given one, packages whose dependencies are not
  /// configured yet moving to the end, cycles broken when nothing else moves. @throws Error
  void install(const std::vector<dpkgdb::PackageKey> &keys);

  /// As `dpkg --no-triggers --configure`. @throws Error
  void configure(const std::vector<dpkgdb::PackageKey> &keys);

  /// Configures everything that is unpacked and runs everything pending (`dpkg --configure --pending`). @throws Error
  void configure_pending();

 private:
  /// What dpkg tries once the queue went round without progress, each besides those before it.
  enum class Effort { normal, cycles, triggers, given_up };

  /// State of one run over a queue.
  struct Run {
    Dependencies dependencies;
    std::deque<dpkgdb::PackageRecord *> queue;
    std::vector<dpkgdb::PackageRecord *> refused;
    TriggerCycle cycle;
    Effort effort = Effort::normal;
    std::size_t idle = 0;  ///< packages taken from the queue since something was achieved
  };

  void work_on(const std::vector<dpkgdb::PackageKey> &keys, bool are_new, bool runs_triggers);
  void work_through(Run &run);
  void step(Run &run, dpkgdb::PackageRecord &record);
  Readiness check(Run &run, const dpkgdb::PackageRecord &record);
  static void enqueue(Run &run, dpkgdb::PackageRecord &record);
  static void refuse_one(Run &run, dpkgdb::PackageRecord &record);
  void run_deferred_triggers(Run &run);
  void configure_one(dpkgdb::PackageRecord &record);
  void process_triggers(Run &run, dpkgdb::PackageRecord &record);
  void settle_conffile(dpkgdb::PackageRecord &record, dpkgdb::Conffile &conffile);
  void put_conffile(const std::string &path, const std::optional<struct stat> &present);
  void finish_script(dpkgdb::PackageRecord &record);
  [[noreturn]] static void refuse(Run &run);

  ConfigureContext context_;
};

}  // namespace debroot::configure
