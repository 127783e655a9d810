#include "cli/commands.hpp"
#include "cli/plan_text.hpp"
#include "cli/render_error.hpp"
#include "plan/as_mmdebstrap.hpp"
#include "plan/make_plan.hpp"

namespace debroot::cli {

int run_build(const CommandContext &context) {
  bool is_build = context.line.command == Command::build;
  BuildPlan plan = is_build ? plan::make_plan(context.line.options, context.host)
                            : plan::make_plan_as_mmdebstrap(context.line.options, context.host);
  plan.verbosity = static_cast<int>(context.line.verbosity);
  if (plan.is_simulation && !plan.hooks.empty()) plan.warnings.emplace_back("hooks do not run in a simulation");
  for (const std::string &warning : plan.warnings) context.renderer.warning(warning);
  if (plan.is_simulation) {
    BuildReport report = context.backend.plan_packages(plan, context.renderer, context.stop);
    context.renderer.close();
    // standard output is for images
    context.console.err(plan_table(plan, report));
    return kExitDone;
  }
  BuildReport report = context.backend.build(plan, context.renderer, context.stop);
  context.renderer.succeeded(plan, report);
  return kExitDone;
}

}  // namespace debroot::cli
