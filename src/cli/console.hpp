/// Where cli/ writes: the only place that knows standard output and standard error. Everything is injected, so that
/// tests see each byte and decide width and time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "plan/host_facts.hpp"

namespace debroot::cli {

/// Takes text as it is.
using TextSink = std::function<void(std::string_view)>;

struct Console {
  TextSink out;  ///< standard output; throws Error of kind output when it cannot be written
  TextSink err;  ///< standard error, or the log file; never throws
  /// Standard error even when `err` is a log file; empty when they are the same.
  TextSink terminal_err;
  bool is_err_terminal = false;                          ///< `err` goes to a terminal that understands cursor movement
  bool uses_colour = false;                              ///< NO_COLOR is unset (no-color.org) and `err` is a terminal
  bool uses_unicode = false;                             ///< the locale's encoding is UTF-8
  std::function<unsigned()> width = [] { return 80U; };  ///< columns of the terminal, asked at each redraw
  std::function<std::uint64_t()> now_ms = [] { return 0ULL; };  ///< a clock that only goes forward
  /// Sends all of standard error, that of hooks included, to a file that is truncated. @throws Error of kind output
  std::function<void(Console &, const std::string &path)> redirect = [](Console &, const std::string &) {};
};

/// The console of this process.
[[nodiscard]] Console make_console(const plan::HostFacts &host);

/// `text` with control characters shown as \xNN, so that what an archive or a script says cannot drive the terminal;
/// line ends and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace debroot::cli
