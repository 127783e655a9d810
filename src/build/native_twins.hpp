/// In the builder of a foreign image: lets maintainer scripts run native twins of the image's tools (twins/).
///
/// The twins are seen only in the runner's mount namespace. Each appears when the package that it is the twin of has
/// been unpacked, so that a script finds the programs that it would find without twins.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "build/install_plan.hpp"
#include "configure/script_host.hpp"
#include "sandbox/runner.hpp"
#include "twins/script_view.hpp"
#include "twins/store.hpp"

namespace debroot::build {

/// What it works on; all references outlive it.
struct NativeTwinsContext {
  const base::RootDirectory &root;
  std::string root_path;
  const InstallPlan &plan;
  sandbox::Runner &runner;
  std::string image_architecture;
  std::string store_path;  ///< an empty directory of the builder's own
  /// The twin at a place of plan.twins, once it is unpacked; nothing when it cannot be had.
  std::function<std::optional<twins::UnpackedTwin>(std::uint32_t)> take;
  std::function<void(const std::string &)> tell;  ///< a line for the log
};

class NativeTwins {
 public:
  /// @throws Error
  explicit NativeTwins(NativeTwinsContext context);

  [[nodiscard]] const twins::Store &store() const noexcept { return store_; }

  /// A package of the image is in the root now.
  void on_unpacked(std::uint32_t number) { unpacked_.push_back(number); }

  /// Lays what has come since over the root, and sets in `request` what of the twins `call` gets. @throws Error
  void before(const configure::ScriptCall &call, sandbox::RunRequest &request);
  /// To be called when that program has ended. @throws Error
  void after();

 private:
  void open();
  const twins::UnpackedTwin *take(std::uint32_t place);
  void cover_unpacked();
  void cover(const std::vector<const twins::Program *> &programs);

  NativeTwinsContext context_;
  twins::Store store_;
  twins::ImageRoot image_;
  std::map<std::uint32_t, twins::UnpackedTwin> twins_;    ///< taken so far, by place in plan.twins
  std::set<std::uint32_t> taken_;                         ///< places, also of those that cannot be had
  std::multimap<std::uint32_t, std::uint32_t> twins_of_;  ///< places, by number of the image's package
  std::vector<std::uint32_t> unpacked_;                   ///< packages of the image since the last script
  twins::CoveredPaths covered_;
  std::map<std::string, const twins::Program *, std::less<>> programs_;  ///< that cover something, by path
  std::vector<std::string> uncovered_;                                   ///< while a program runs
  bool is_open_ = false;
  bool has_perl_libraries_ = true;
};

}  // namespace debroot::build
