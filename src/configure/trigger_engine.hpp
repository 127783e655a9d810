/// Trigger activations and what they do to package states (dpkg's triggers.txt, Policy-adjacent; deb-triggers(5)).
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "dpkgdb/database.hpp"
#include "dpkgdb/triggers.hpp"

namespace debroot::configure {

/// Records activations in the database: an interested package that is configured becomes triggers-pending; the
/// activating one waits for it (triggers-awaited) unless either side said noawait.
class TriggerEngine {
 public:
  /// Both must outlive it.
  TriggerEngine(dpkgdb::Database &database, dpkgdb::Triggers &triggers) : database_(database), triggers_(triggers) {}

  /// A new dpkg invocation begins: what was pending before is not in its queue.
  void begin_run() { deferred_.clear(); }

  /// Activates the named trigger, or the file triggers on exactly that path, as unpacking does (a package brings its
  /// directories as entries of their own). `awaiting` may be null.
  void activate(const std::string &trigger, dpkgdb::PackageRecord *awaiting);
  /// Activates every file trigger on `path` or a parent of it, the innermost first.
  void activate_path(std::string_view path, dpkgdb::PackageRecord *awaiting);
  /// Acts on the `activate` lines of a package's triggers control file, as dpkg does when it begins to unpack and when
  /// it begins to configure that package.
  void activate_directives(std::string_view triggers_file, dpkgdb::PackageRecord &record);
  /// Takes in what dpkg-trigger recorded since the last call.
  void incorporate();
  /// `record`'s triggers have run: packages that waited for it go on.
  void clear_awaiters(const dpkgdb::PackageRecord &record);

  /// Takes the package that was activated first in this run and whose triggers were not looked at since; null when
  /// there is none.
  [[nodiscard]] dpkgdb::PackageRecord *take_deferred();
  void forget_deferred(const dpkgdb::PackageRecord &record);
  /// The package that a trigger file or Triggers-Awaited names; null when there is none.
  [[nodiscard]] dpkgdb::PackageRecord *find(std::string_view name);

 private:
  void activate_by_name(const std::string &trigger, dpkgdb::PackageRecord *awaiting);
  void record(const std::string &trigger, const dpkgdb::TriggerInterest &interest, dpkgdb::PackageRecord *awaiting);

  dpkgdb::Database &database_;
  dpkgdb::Triggers &triggers_;
  std::deque<dpkgdb::PackageKey> deferred_;
};

/// The state a package takes when its script has run well: it may still wait for others, or others for it.
[[nodiscard]] dpkgdb::State settled_state(const dpkgdb::PackageRecord &record) noexcept;

}  // namespace debroot::configure
