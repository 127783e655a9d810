/// mmdebstrap's command line as a BuildPlan: what its users rely on although it lets the building machine show in the
/// image (resolv.conf, host name, trusted keys, environment, network) is decided here, as data of the plan. The phases
/// do not know whether they work for `build` or for this.
#pragma once

#include "debroot/plan.hpp"
#include "plan/host_facts.hpp"
#include "plan/options.hpp"

namespace debroot::plan {

/// `options` as mmdebstrap's command line fills them: suite, one output, mirrors, and options of the same names.
/// @throws Error of kind usage
[[nodiscard]] BuildPlan make_plan_as_mmdebstrap(Options options, const HostFacts &host);

/// What mmdebstrap refuses while it reads its options, and with the exit status of a wrong command line: keyrings,
/// packages given as files and hook directories that are not there. @throws Error of kind usage
void check_words_as_mmdebstrap(const Options &options, const HostFacts &host);

}  // namespace debroot::plan
