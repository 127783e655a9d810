/// In the builder: lets maintainer scripts run debroot's stand-ins (stand_ins/) instead of some of the image's tools.
///
/// A script that is known to sleep for nothing does not. Like native twins, stand-ins are seen only in the runner's
/// mount namespace, never by what unpacks, by hooks or in the image, and a script that copies or changes programs meets
/// the image's own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "configure/script_host.hpp"
#include "sandbox/runner.hpp"
#include "stand_ins/known_tools.hpp"
#include "twins/script_view.hpp"

namespace debroot::build {

/// What it works on; all references outlive it.
struct StandInContext {
  const base::RootDirectory &root;
  sandbox::Runner &runner;
  std::string store_path;  ///< an empty directory of the builder's own
};

class StandInCovers {
 public:
  /// @throws Error
  explicit StandInCovers(StandInContext context);

  /// Covers the tools that are there and known by now, and sets in `request` whether `call` sees that. @throws Error
  void before(const configure::ScriptCall &call, sandbox::RunRequest &request);
  /// To be called when that program has ended. @throws Error
  void after();

 private:
  /// A file as it was when it was looked at: anything done to it since shows in these.
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;
    friend bool operator==(const Stamp &, const Stamp &) = default;
  };
  struct Tool {
    std::string companion;
    Stamp stamp;
    Stamp companion_stamp;
    bool is_covered = false;
  };

  void cover_known();
  void look_at(const std::string &path, Tool &tool);
  [[nodiscard]] Stamp stamp_of(const std::string &path) const;
  [[nodiscard]] std::string digest_of(const std::string &path) const;
  [[nodiscard]] sandbox::ReadOnlyBind make_stand_in(const std::string &path, stand_ins::Dialect dialect) const;

  StandInContext context_;
  base::RootDirectory store_;
  std::map<std::string, Tool, std::less<>> tools_;
  twins::CoveredPaths covered_;
  std::vector<std::string> uncovered_;  ///< while a program runs
};

}  // namespace debroot::build
