#include "cli/renderer.hpp"

#include "cli/json_renderer.hpp"
#include "cli/text_renderer.hpp"
#include "cli/tty_renderer.hpp"

namespace debroot::cli {

std::unique_ptr<Renderer> make_renderer(ProgressStyle style, Verbosity verbosity, const Console &console) {
  if (style == ProgressStyle::automatic) style = console.is_err_terminal ? ProgressStyle::tty : ProgressStyle::plain;
  if (style == ProgressStyle::json) return std::make_unique<JsonRenderer>(verbosity, console);
  if (style == ProgressStyle::none || verbosity == Verbosity::quiet) {
    return std::make_unique<SilentRenderer>(verbosity, console);
  }
  if (style == ProgressStyle::tty) return std::make_unique<TtyRenderer>(verbosity, console);
  return std::make_unique<PlainRenderer>(verbosity, console);
}

}  // namespace debroot::cli
