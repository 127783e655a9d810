/// The builder's side of progress: events go to the outside process, which shows them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/channel.hpp"
#include "build/install_plan.hpp"
#include "debroot/error.hpp"

namespace debroot::build {

/// Not thread-safe: only the builder's main thread sends.
class EventSender {
 public:
  /// @param shown gets a byte for each step that was shown; -1: nobody says so
  EventSender(base::Channel &channel, int shown) : channel_(channel), shown_(shown) {}

  void phase_started(Phase phase, const PhaseCount &total);
  void phase_advanced(Phase phase, const PhaseCount &count, const std::string &current);
  void phase_finished(Phase phase, const PhaseCount &count);
  void note(const std::string &text);
  void warning(const std::string &text);
  void script_output(const std::string &origin, std::string_view line);
  void hook_output(const std::string &origin, std::string_view line);
  /// Returns once the outside has shown it and all that was sent before: what comes next may write to the same place.
  void step(const std::string &text);
  void root_state(RootState state);
  void state_restored(const std::string &failure, bool is_damaged);
  void state_seen(cache::StateParts state, std::vector<std::string> random_paths, const std::string &failure);
  void done(std::vector<std::string> random_paths, std::uint64_t output_bytes, std::string tar_digest,
            std::vector<Span> spans);
  void failed(const Error &error);

 private:
  void send(FromBuilder message);

  base::Channel &channel_;
  int shown_;
  std::chrono::steady_clock::time_point started_[8] = {};
};

}  // namespace debroot::build
