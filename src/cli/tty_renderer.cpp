#include "cli/tty_renderer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/phase_text.hpp"

namespace debroot::cli {
namespace {

constexpr std::uint64_t kRedrawMs = 100;
constexpr std::size_t kNameWidth = 10;
constexpr std::size_t kLongestBar = 16;
constexpr std::size_t kShortestBar = 8;
constexpr std::size_t kItemsWidth = 17;  // "1234/1234 entries"
constexpr std::size_t kBytesWidth = 13;  // "999 MB/999 MB"
constexpr std::size_t kTimeWidth = 10;
constexpr std::size_t kCountWidth = 32;  // "1234/1234 packages, 999 MB/999 MB"
constexpr std::size_t kShortestItem = 12;

constexpr std::array<std::string_view, 10> kSpinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
constexpr std::array<std::string_view, 4> kAsciiSpinner = {"|", "/", "-", "\\"};

std::string coloured(std::string_view text, std::string_view code, const LineStyle &style) {
  return style.uses_colour && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

/// Columns of plain text: code points, which is right for everything that these lines hold.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// The first `limit` columns; blanks are put behind a shorter text.
std::string fitted(std::string_view text, std::size_t limit) {
  std::size_t width = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    bool is_start = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (is_start && width == limit) break;
    width += is_start ? 1 : 0;
  }
  return std::string(text.substr(0, at)) + std::string(limit - width, ' ');
}

/// Done over total, by bytes where they are known; nothing without a total.
double fraction(const PhaseCount &count) {
  bool has_bytes = count.bytes_total > 0;
  auto done = static_cast<double>(has_bytes ? count.bytes_done : count.items_done);
  auto total = static_cast<double>(has_bytes ? count.bytes_total : count.items_total);
  return total > 0 ? std::clamp(done / total, 0.0, 1.0) : 0.0;
}

/// Blank while nothing is known to be reached: an empty bar would say that nothing was done.
std::string bar(const PhaseCount &count, std::size_t width, const LineStyle &style) {
  if (count.items_total == 0 && count.bytes_total == 0) return std::string(width, ' ');
  auto filled = static_cast<std::size_t>(fraction(count) * static_cast<double>(width));
  std::string_view full = style.uses_unicode ? "━" : "#";
  std::string_view rest = style.uses_unicode ? "─" : ".";
  return coloured(repeated(full, filled), "32", style) + coloured(repeated(rest, width - filled), "2", style);
}

/// Puts pieces behind one another with two blanks between, as long as they fit.
class LineBuilder {
 public:
  explicit LineBuilder(std::size_t room) : room_(room) {}
  [[nodiscard]] bool has_room(std::size_t width) const { return used_ + width + 2 <= room_; }
  void add(const std::string &text, std::size_t width) {
    if (used_ > 0) text_ += "  ";
    used_ += width + (used_ > 0 ? 2 : 0);
    text_ += text;
  }
  [[nodiscard]] std::size_t room_left() const { return room_ > used_ + 2 ? room_ - used_ - 2 : 0; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::size_t room_;
  std::size_t used_ = 0;
  std::string text_;
};

}  // namespace

std::string live_line(const LivePhase &live, std::uint64_t now_ms, const LineStyle &style) {
  std::size_t room = style.width > 1 ? style.width - 1 : 1;
  std::string_view spinner =
      style.uses_unicode ? kSpinner[style.frame % kSpinner.size()] : kAsciiSpinner[style.frame % kAsciiSpinner.size()];
  std::string head = fmt::format("{} {:<{}}", spinner, phase_name(live.phase), kNameWidth);
  std::string time = fmt::format("{:>{}}", duration_text(now_ms - live.started_ms), kTimeWidth);
  if (room < columns(head) + 2 + kTimeWidth) return fitted(head, room);

  LineBuilder line(room);
  line.add(coloured(spinner, "36", style) + head.substr(spinner.size()), columns(head));
  // what must follow is set aside before the pieces in front of it are allowed in
  std::size_t after = kTimeWidth + 2;
  bool has_items = line.has_room(kItemsWidth + after);
  if (has_items) after += kItemsWidth + 2;
  bool has_bytes = has_items && line.has_room(kBytesWidth + after);
  if (has_bytes) after += kBytesWidth + 2;
  if (has_bytes && line.has_room(kShortestBar + after)) {
    std::size_t width = std::min(kLongestBar, line.room_left() - after);
    line.add(bar(live.count, width, style), width);
  }
  if (has_items) line.add(fmt::format("{:>{}}", items_text(live.phase, live.count), kItemsWidth), kItemsWidth);
  if (has_bytes) line.add(fmt::format("{:>{}}", bytes_text(live.count), kBytesWidth), kBytesWidth);
  line.add(time, kTimeWidth);
  if (line.room_left() >= kShortestItem && !live.current.empty()) {
    std::string item = printable(live.current);
    std::size_t width = std::min(line.room_left(), columns(item));
    line.add(coloured(fitted(item, width), "2", style), width);
  }
  return line.take();
}

std::string finished_line(Phase phase, const PhaseCount &count, std::uint64_t milliseconds, const LineStyle &style) {
  std::size_t room = style.width > 1 ? style.width - 1 : 1;
  std::string_view mark = style.uses_unicode ? "✓" : "*";
  std::string head = fmt::format("{} {:<{}}  ", mark, phase_name(phase), kNameWidth);
  std::string time = fmt::format("{:>{}}", duration_text(milliseconds), kTimeWidth);
  std::size_t taken = columns(head) + kTimeWidth;
  std::size_t count_width = room > taken ? std::min(kCountWidth, room - taken) : 0;
  std::string text =
      fitted(head + fitted(count_text(phase, count), count_width) + time, std::min(room, taken + count_width));
  return coloured(mark, "32", style) + text.substr(mark.size());
}

TtyRenderer::~TtyRenderer() { close(); }

void TtyRenderer::phase_started(Phase phase, const PhaseCount &total) noexcept {
  live_.push_back({phase, total, {}, console_.now_ms()});
  redraw_if_due();
}

void TtyRenderer::phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept {
  for (LivePhase &live : live_) {
    if (live.phase != phase) continue;
    live.count = count;
    live.current = current;
    if (verbosity_ == Verbosity::debug && !current.empty()) print(fmt::format("{}: {}\n", phase_name(phase), current));
  }
  redraw_if_due();
}

void TtyRenderer::phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept {
  PhaseCount last = end_phase(live_, phase, count);
  LineStyle style{console_.width(), console_.uses_unicode, console_.uses_colour, 0};
  print(finished_line(phase, last, milliseconds, style) + "\n");
}

void TtyRenderer::tick() noexcept { redraw_if_due(); }

void TtyRenderer::close() noexcept {
  if (is_closed_) return;
  is_closed_ = true;
  std::string text = erase_block();
  if (has_drawn_) text += "\x1b[?25h";
  if (!text.empty()) console_.err(text);
}

/// The block comes back at once only when it is due: a script that writes a thousand lines a second costs ten redraws.
void TtyRenderer::print(std::string_view text) noexcept {
  std::string out = erase_block() + std::string(text);
  bool is_due = console_.now_ms() - last_draw_ms_ >= kRedrawMs;
  if (is_due && !is_closed_) out += draw_block();
  console_.err(out);
}

void TtyRenderer::redraw_if_due() {
  if (is_closed_ || (has_drawn_ && console_.now_ms() - last_draw_ms_ < kRedrawMs)) return;
  std::string out = erase_block();
  out += draw_block();
  if (!out.empty()) console_.err(out);
}

std::string TtyRenderer::erase_block() {
  if (drawn_lines_ == 0) return {};
  // the carriage return comes first: the terminal itself echoes "^C" behind the block
  return fmt::format("\r\x1b[{}A\x1b[J", std::exchange(drawn_lines_, 0U));
}

std::string TtyRenderer::draw_block() {
  if (live_.empty()) return {};
  std::string out = has_drawn_ ? "" : "\x1b[?25l";
  has_drawn_ = true;
  last_draw_ms_ = console_.now_ms();
  LineStyle style{console_.width(), console_.uses_unicode, console_.uses_colour, frame_++};
  for (const LivePhase &live : live_) out += live_line(live, last_draw_ms_, style) + "\n";
  drawn_lines_ = static_cast<unsigned>(live_.size());
  return out;
}

}  // namespace debroot::cli
