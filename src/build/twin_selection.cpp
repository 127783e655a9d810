#include "build/twin_selection.hpp"

#include <vector>

#include "twins/choice.hpp"
#include "twins/location.hpp"

namespace debroot::build {

void add_twins(SelectedPackages &selected, const ArchiveIndexes &indexes, const std::string &architecture) {
  if (!twins::library_tuple(architecture)) return;
  std::vector<const debian::BinaryPackage *> image;
  for (debian::PackageRef ref : selected.refs) image.push_back(&indexes.packages.at(ref));
  twins::Choice choice = twins::choose_twins(image, indexes.twins, architecture);
  selected.plan.emulated = std::move(choice.emulated);
  if (choice.twins.empty()) return;
  selected.plan.twin_architecture = architecture;
  for (const twins::Twin &twin : choice.twins) {
    selected.plan.twins.push_back({planned_package(indexes.twins.at(twin.package)), twin.with, twin.is_perl_library});
    selected.downloads.push_back(download_of(indexes.twins, twin.package));
  }
}

}  // namespace debroot::build
