/// Progress as people and programs see it, on standard error. One implementation a style: renderers draw, they decide
/// nothing.
#pragma once

#include <memory>
#include <string>

#include "cli/command_line.hpp"
#include "cli/console.hpp"
#include "debroot/error.hpp"
#include "debroot/plan.hpp"
#include "debroot/progress.hpp"
#include "debroot/report.hpp"

namespace debroot::cli {

/// A Progress that can also show how it ended. Used from the main thread only.
class Renderer : public Progress {
 public:
  /// The plan is made; everything else follows.
  virtual void begins(const BuildPlan &) noexcept {}
  /// Takes what is live off the screen and shows the cursor again; nothing is drawn afterwards. May be called twice.
  virtual void close() noexcept = 0;
  /// The build ended with `error`. Closes.
  virtual void failed(const Error &error) noexcept = 0;
  /// The build was made. Closes.
  virtual void succeeded(const BuildPlan &plan, const BuildReport &report) noexcept = 0;
};

/// The renderer for `--progress` and -q/-v/-d. `automatic` is tty on a terminal, else plain. Quiet is silence until an
/// error, save with json, where it only leaves out notes, warnings and script output. `console` must outlive it.
[[nodiscard]] std::unique_ptr<Renderer> make_renderer(ProgressStyle style, Verbosity verbosity, const Console &console);

}  // namespace debroot::cli
