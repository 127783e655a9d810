#include <fmt/format.h>

#include <ctime>

#include "cache/inventory.hpp"
#include "cli/cache_text.hpp"
#include "cli/commands.hpp"
#include "cli/render_error.hpp"
#include "plan/make_plan.hpp"
#include "plan/names.hpp"

namespace debroot::cli {
namespace {

/// Without a limit, what nobody has used for so long goes.
constexpr std::int64_t kUnusedDays = 30;

bool has_limit(const cache::PruneLimits &limits) { return limits.removes_all || limits.bytes || limits.unused_days; }

}  // namespace

int run_cache(const CommandContext &context) {
  const CommandLine &line = context.line;
  std::string directory = plan::make_cache(line.options, context.host).directory;
  if (directory.empty())
    throw plan::usage_error("there is no cache: neither XDG_CACHE_HOME nor HOME is set").hint("--cache DIR");
  const std::string &action = line.operands.at(0);
  if (action == "list") {
    if (has_limit(line.prune)) throw plan::usage_error("limits are for 'debroot cache prune'");
    context.console.out(printable(inventory_text(directory, cache::take_inventory(directory))));
    return kExitDone;
  }
  cache::PruneLimits limits = line.prune;
  if (!has_limit(limits)) limits.unused_days = kUnusedDays;
  cache::Pruned pruned = cache::prune(directory, limits, std::time(nullptr));
  context.console.out(printable(pruned_text(directory, pruned)));
  return kExitDone;
}

}  // namespace debroot::cli
