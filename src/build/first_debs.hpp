/// The .debs of what is installed first, where apt would have put them: hooks of the extract stage read them there
/// (MMDEBSTRAP_ESSENTIAL names them).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/trust.hpp"
#include "build/install_plan.hpp"

namespace debroot::build {

class FirstDebs {
 public:
  /// Copies the .debs of plan.first to /var/cache/apt/archives; one that a setup hook has put there stays as it is.
  /// @throws Error
  FirstDebs(const base::RootDirectory &root, const InstallPlan &plan,
            const std::function<base::VerifiedFile(std::uint32_t)> &take);

  /// Paths inside the root, in the order in which they are installed.
  [[nodiscard]] const std::vector<std::string> &paths() const noexcept { return paths_; }

  /// Takes away what was put there.
  void remove() const;

 private:
  const base::RootDirectory &root_;
  std::vector<std::string> paths_;
  std::vector<std::string> copied_;
};

/// The name that apt gives a downloaded .deb: "bash_1%3a5.2_amd64.deb".
[[nodiscard]] std::string deb_file_name(const PackageId &id);

}  // namespace debroot::build
