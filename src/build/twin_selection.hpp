/// Adds the native twins of a foreign image's tools to what was chosen.
#pragma once

#include <string>

#include "build/archive_indexes.hpp"
#include "build/selection.hpp"

namespace debroot::build {

/// Chooses among `indexes.twins`; nothing happens when there are none that fit. They are no packages of the image, so
/// neither its plan's packages nor the reported ones change.
void add_twins(SelectedPackages &selected, const ArchiveIndexes &indexes, const std::string &architecture);

}  // namespace debroot::build
