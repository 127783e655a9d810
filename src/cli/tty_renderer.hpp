/// Progress on a terminal: finished phases are lines that stay, those at work are a block below, redrawn at most ten
/// times a second.
#pragma once

#include <string>
#include <vector>

#include "cli/text_renderer.hpp"

namespace debroot::cli {

class TtyRenderer : public TextRenderer {
 public:
  using TextRenderer::TextRenderer;
  TtyRenderer(const TtyRenderer &) = delete;
  TtyRenderer &operator=(const TtyRenderer &) = delete;
  /// Closes, so that no way out leaves a terminal without a cursor.
  ~TtyRenderer() override;

  void phase_started(Phase phase, const PhaseCount &total) noexcept override;
  void phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept override;
  void phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept override;
  void tick() noexcept override;
  void close() noexcept override;

 protected:
  void print(std::string_view text) noexcept override;

 private:
  void redraw_if_due();
  /// Escape sequences that take the block off the screen.
  [[nodiscard]] std::string erase_block();
  [[nodiscard]] std::string draw_block();

  std::vector<LivePhase> live_;
  std::uint64_t last_draw_ms_ = 0;
  unsigned drawn_lines_ = 0;
  unsigned frame_ = 0;  ///< of the spinner
  bool has_drawn_ = false;
  bool is_closed_ = false;
};

/// How a live line may look.
struct LineStyle {
  unsigned width = 80;
  bool uses_unicode = false;
  bool uses_colour = false;
  unsigned frame = 0;  ///< picks the picture of the spinner
};

/// One line of the block, never wider than the terminal less one column. What does not fit goes in this order: the
/// current item, the bar, the bytes, the counts.
[[nodiscard]] std::string live_line(const LivePhase &live, std::uint64_t now_ms, const LineStyle &style);

/// The line that stays when a phase ends.
[[nodiscard]] std::string finished_line(Phase phase, const PhaseCount &count, std::uint64_t milliseconds,
                                        const LineStyle &style);

}  // namespace debroot::cli
