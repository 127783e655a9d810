/// The .debs of packages where apt would have put them: hooks read them there. Those of the extract stage find what is
/// installed first (MMDEBSTRAP_ESSENTIAL names them), those of the customize stage what is installed afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/trust.hpp"
#include "build/install_plan.hpp"

namespace debroot::build {

class ArchivedDebs {
 public:
  /// Copies the .debs of `numbers` to /var/cache/apt/archives; one that a hook has put there stays as it is.
  /// @throws Error
  ArchivedDebs(const base::RootDirectory &root, const InstallPlan &plan, const std::vector<std::uint32_t> &numbers,
               const std::function<base::VerifiedFile(std::uint32_t)> &take);

  /// Paths inside the root, in the order of `numbers`.
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
