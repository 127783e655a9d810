/// The whole of planning: Options and HostFacts in, a BuildPlan out. Reads files that options name (sources, apt and
/// dpkg options, hook directories) and looks at paths, but writes nothing and asks no network; whatever contradicts
/// itself is refused here, before anything was touched.
#pragma once

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"
#include "plan/options.hpp"

namespace debroot::plan {

/// @throws Error of kind usage; the first contradiction in the order of BuildPlan's fields
[[nodiscard]] BuildPlan make_plan(const Options &options, const HostFacts &host);

/// What the options say of the cache; its directory may not exist yet. @throws Error of kind usage
[[nodiscard]] CachePlan make_cache(const Options &options, const HostFacts &host);

}  // namespace debroot::plan
