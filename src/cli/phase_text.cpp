#include "cli/phase_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace debroot::cli {
namespace {

std::string_view unit(Phase phase, bool is_one) noexcept {
  switch (phase) {
    case Phase::indexes:
      return is_one ? "file" : "files";
    case Phase::customize:
      return is_one ? "step" : "steps";
    case Phase::pack:
    case Phase::restore:
      return is_one ? "entry" : "entries";
    case Phase::resolve:
    case Phase::download:
    case Phase::unpack:
    case Phase::configure:
      break;
  }
  return is_one ? "package" : "packages";
}

std::string with_comma(const std::string &first, const std::string &second) {
  return first.empty() || second.empty() ? first + second : first + ", " + second;
}

}  // namespace

std::string items_text(Phase phase, const PhaseCount &count) {
  if (count.items_done < count.items_total) {
    return fmt::format("{}/{} {}", count.items_done, count.items_total, unit(phase, count.items_total == 1));
  }
  if (count.items_done == 0) return {};
  return fmt::format("{} {}", count.items_done, unit(phase, count.items_done == 1));
}

std::string bytes_text(const PhaseCount &count) {
  if (count.bytes_done < count.bytes_total) {
    return fmt::format("{}/{}", base::human_bytes(count.bytes_done), base::human_bytes(count.bytes_total));
  }
  return count.bytes_done == 0 ? std::string() : base::human_bytes(count.bytes_done);
}

std::string count_text(Phase phase, const PhaseCount &count) {
  return with_comma(items_text(phase, count), bytes_text(count));
}

std::string total_text(Phase phase, const PhaseCount &count) {
  return count_text(phase, {count.items_total, count.items_total, count.bytes_total, count.bytes_total});
}

std::string duration_text(std::uint64_t milliseconds) {
  // the tenths are rounded before the minute is decided, else 59.96 s would read "60.0 s"
  std::uint64_t tenths = (milliseconds + 50) / 100;
  if (tenths < 600) return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  std::uint64_t seconds = (milliseconds + 500) / 1000;
  return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
}

}  // namespace debroot::cli
