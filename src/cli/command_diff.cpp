#include "cli/commands.hpp"
#include "diff/compare.hpp"
#include "diff/render.hpp"

namespace debroot::cli {

int run_diff(const CommandContext &context) {
  const CommandLine &line = context.line;
  diff::Comparison comparison = diff::compare_images(line.operands.at(0), line.operands.at(1), line.compare);
  for (const std::string &text : diff::render(comparison)) context.console.out(printable(text) + "\n");
  return comparison.differences.empty() ? 0 : 1;
}

}  // namespace debroot::cli
