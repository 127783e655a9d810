/// The levels that the programs behind mmdebstrap's compressions take from the environment.
#pragma once

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"

namespace debroot::plan {

/// What XZ_DEFAULTS and XZ_OPT (xz, lzma), ZSTD_CLEVEL (zstd), GZIP (gzip), BZIP2 and BZIP (bzip2) and LZOP (lzop) ask
/// for, as those programs read them: the last word counts. Only levels have a say; threads are always used, and what
/// else there is changes no content. The other programs read nothing.
[[nodiscard]] CompressionLevel level_in_environment(Compression compression, const HostFacts &host);

}  // namespace debroot::plan
