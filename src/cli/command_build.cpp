#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/plan_text.hpp"
#include "cli/render_error.hpp"
#include "cli/timings.hpp"
#include "plan/as_mmdebstrap.hpp"
#include "plan/make_plan.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

std::string_view reason_of(const plan::HostFacts &host) {
  return host.user_id == 0 ? "the caller is root" : "the caller is not root";
}

std::string emulation_note(const CommandContext &context, const BuildPlan &plan) {
  if (plan.mode == Mode::chrootless) return "skipping emulation check in chrootless mode";
  if (plan.variant == Variant::extract) return "skipping emulation check for extract variant";
  if (is_skipped(plan.skips, "check/qemu")) return "skipping check/qemu as requested";
  if (plan.architecture != context.host.architecture) return {};
  return fmt::format("chroot architecture {} is equal to the host's architecture", plan.architecture);
}

/// What mmdebstrap says of its own choices before it begins.
void announce_as_mmdebstrap(const CommandContext &context, const BuildPlan &plan) {
  Renderer &renderer = context.renderer;
  for (const std::string &option : context.line.no_operations) {
    renderer.note(fmt::format(
        "the option {} is a no-op. It only exists for compatibility with some debootstrap wrappers.", option));
  }
  if (plan.mode == Mode::automatic) {
    std::string_view mode = plan::mode_name(context.host.user_id == 0 ? Mode::root : Mode::unshare);
    std::string why = context.line.verbosity >= Verbosity::verbose ? fmt::format(" ({})", reason_of(context.host)) : "";
    renderer.note(fmt::format("automatically chosen mode: {}{}", mode, why));
  }
  if (std::string text = emulation_note(context, plan); !text.empty()) renderer.note(text);
  bool infers_signed_by = !is_skipped(plan.skips, "check/signed-by");
  renderer.note(infers_signed_by ? "finding correct signed-by value..." : "skipping check/signed-by as requested");
  if (context.line.has_no_suite) renderer.note("No SUITE specified, expecting sources.list on standard input");
  bool chooses_format = !context.line.options.format || *context.line.options.format == "auto";
  if (chooses_format)
    renderer.note(fmt::format("automatically chosen format: {}", format_name(plan.outputs.front().format)));
  for (const Hook &hook : plan.hooks) {
    if (!plan.is_simulation) break;
    renderer.warning(fmt::format("In dry-run mode, --{}-hook options have no effect", hook_stage_name(hook.stage)));
  }
  if (plan.is_simulation && plan.outputs.front().format == Format::tar) {
    renderer.note(fmt::format("not overwriting {} because in dry-run mode", plan.outputs.front().path));
  }
}

void announce(const CommandContext &context, const BuildPlan &plan) {
  context.renderer.begins(plan);
  if (context.line.command == Command::mmdebstrap) {
    announce_as_mmdebstrap(context, plan);
  } else if (plan.mode == Mode::automatic && context.line.verbosity >= Verbosity::verbose) {
    std::string_view mode = plan::mode_name(context.host.user_id == 0 ? Mode::root : Mode::unshare);
    context.renderer.note(fmt::format("mode '{}', since {}", mode, reason_of(context.host)));
  }
  if (context.line.command == Command::build && plan.is_simulation && !plan.hooks.empty()) {
    context.renderer.warning("hooks do not run in a simulation");
  }
  for (const std::string &warning : plan.warnings) context.renderer.warning(warning);
}

/// The plan of what mmdebstrap leaves in a directory when it simulates: what stands there before the first package.
BuildPlan skeleton_of(BuildPlan plan) {
  plan.is_simulation = false;
  plan.variant = Variant::custom;
  plan.includes.clear();
  plan.hook_packages.clear();
  plan.hooks.clear();
  plan.warnings.clear();
  return plan;
}

class NullProgress : public Progress {
 public:
  void phase_started(Phase, const PhaseCount &) noexcept override {}
  void phase_advanced(Phase, const PhaseCount &, std::string_view) noexcept override {}
  void phase_finished(Phase, const PhaseCount &, std::uint64_t) noexcept override {}
  void note(std::string_view) noexcept override {}
  void warning(std::string_view) noexcept override {}
  void script_output(std::string_view, std::string_view) noexcept override {}
};

/// What would be installed; for mmdebstrap, which shows apt's words only when asked for more, at -v alone.
void show_simulation(const CommandContext &context, const BuildPlan &plan, const BuildReport &report) {
  context.renderer.close();
  bool is_mmdebstrap = context.line.command == Command::mmdebstrap;
  // standard output is for images
  if (!is_mmdebstrap || context.line.verbosity >= Verbosity::verbose) context.console.err(plan_table(plan, report));
  if (!is_mmdebstrap) return;
  if (plan.outputs.front().format == Format::directory) {
    NullProgress silence;
    static_cast<void>(context.backend.build(skeleton_of(plan), silence, context.stop));
  }
  context.renderer.succeeded(plan, report);
}

}  // namespace

int run_build(const CommandContext &context) {
  bool is_build = context.line.command == Command::build;
  BuildPlan plan = is_build ? plan::make_plan(context.line.options, context.host)
                            : plan::make_plan_as_mmdebstrap(context.line.options, context.host);
  plan.verbosity = static_cast<int>(context.line.verbosity);
  announce(context, plan);
  Timings timings(context.line.timings_file);
  if (plan.is_simulation) {
    BuildReport report = context.backend.plan_packages(plan, context.renderer, context.stop);
    show_simulation(context, plan, report);
    timings.show(report, context.console);
    return kExitDone;
  }
  BuildReport report = context.backend.build(plan, context.renderer, context.stop);
  context.renderer.succeeded(plan, report);
  timings.show(report, context.console);
  return kExitDone;
}

}  // namespace debroot::cli
