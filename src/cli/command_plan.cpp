#include "cli/commands.hpp"
#include "cli/plan_text.hpp"
#include "cli/render_error.hpp"
#include "cli/timings.hpp"
#include "plan/make_plan.hpp"

namespace debroot::cli {

int run_plan(const CommandContext &context) {
  plan::Options options = context.line.options;
  options.is_simulation = true;
  BuildPlan plan = plan::make_plan(options, context.host);
  for (const std::string &warning : plan.warnings) context.renderer.warning(warning);
  Timings timings(context.line.timings_file);
  BuildReport report = context.backend.plan_packages(plan, context.renderer, context.stop);
  context.renderer.close();
  context.console.out(context.line.is_json ? plan_json(plan, report) : plan_table(plan, report));
  timings.show(report, context.console);
  return kExitDone;
}

}  // namespace debroot::cli
