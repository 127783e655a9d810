/// Drops packages that were marked on the way to something that was then given up.
#pragma once

#include "resolve/marking.hpp"

namespace debroot::resolve {

/// Takes the mark from new automatic packages that nothing wanted leads to any more, as apt does after resolving. A
/// Recommends or Suggests is reason enough to stay (APT::AutoRemove::RecommendsImportant and SuggestsImportant).
void sweep(Marking &marking);

}  // namespace debroot::resolve
