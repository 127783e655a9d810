/// Notices triggers that set each other off for ever.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dpkgdb/database.hpp"

namespace debroot::configure {

/// Remembers what was pending each time triggers ran, as dpkg does: when everything that was pending at an earlier time
/// still is, nothing is achieved any more. Lives as long as one configure run.
class TriggerCycle {
 public:
  /// Called before the triggers of `record` run. @throws Error of kind script naming the packages that go round
  void check(const dpkgdb::PackageRecord &record, const dpkgdb::Database &database);
  /// Something other than triggers was achieved.
  void reset() noexcept;

 private:
  struct Moment {
    std::string processed;
    std::map<dpkgdb::PackageKey, std::vector<std::string>> pending;
  };
  [[nodiscard]] static bool contains(const Moment &now, const Moment &earlier);

  std::vector<Moment> moments_;
  std::size_t behind_ = 0;  ///< the moment that `moments_.back()` is compared with; moves at half the speed
  bool moves_behind_ = false;
};

}  // namespace debroot::configure
