/// How long things took.
#pragma once

#include <chrono>
#include <cstdint>

namespace debroot::base {

using Clock = std::chrono::steady_clock;

/// Whole milliseconds from `start` until now.
[[nodiscard]] inline std::uint64_t milliseconds_since(Clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count());
}

}  // namespace debroot::base
