#include "cli/commands.hpp"

namespace debroot::cli {

int run_diff(const CommandContext &context) {
  bool is_equal = context.backend.diff(context.line.operands.at(0), context.line.operands.at(1), context.console.out);
  return is_equal ? 0 : 1;
}

}  // namespace debroot::cli
