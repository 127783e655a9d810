#include "build/event_sender.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/clock.hpp"
#include "base/wire.hpp"
#include "build/error_wire.hpp"

namespace debroot::build {
namespace {

using Kind = FromBuilder::Kind;

FromBuilder counted(Kind kind, Phase phase, const PhaseCount &count) {
  FromBuilder message;
  message.kind = kind;
  message.phase = phase;
  message.items_done = count.items_done;
  message.items_total = count.items_total;
  message.bytes_done = count.bytes_done;
  message.bytes_total = count.bytes_total;
  return message;
}

FromBuilder text_message(Kind kind, const std::string &subject, std::string_view text = {}) {
  FromBuilder message;
  message.kind = kind;
  message.subject = subject;
  message.text = std::string(text);
  return message;
}

}  // namespace

void EventSender::send(FromBuilder message) { channel_.send(base::to_wire(std::move(message))); }

void EventSender::phase_started(Phase phase, const PhaseCount &total) {
  started_[static_cast<std::size_t>(phase)] = base::Clock::now();
  send(counted(Kind::phase_started, phase, total));
}

void EventSender::phase_advanced(Phase phase, const PhaseCount &count, const std::string &current) {
  FromBuilder message = counted(Kind::phase_advanced, phase, count);
  message.subject = current;
  send(std::move(message));
}

void EventSender::phase_finished(Phase phase, const PhaseCount &count) {
  FromBuilder message = counted(Kind::phase_finished, phase, count);
  message.milliseconds = base::milliseconds_since(started_[static_cast<std::size_t>(phase)]);
  send(std::move(message));
}

void EventSender::note(const std::string &text) { send(text_message(Kind::note, text)); }
void EventSender::warning(const std::string &text) { send(text_message(Kind::warning, text)); }
void EventSender::script_output(const std::string &origin, std::string_view line) {
  send(text_message(Kind::script_output, origin, line));
}
void EventSender::hook_output(const std::string &origin, std::string_view line) {
  send(text_message(Kind::hook_output, origin, line));
}
void EventSender::step(const std::string &text) {
  send(text_message(Kind::step, text));
  char byte = 0;
  while (shown_ >= 0 && ::read(shown_, &byte, 1) < 0 && errno == EINTR) {
  }
}
void EventSender::failed(const Error &error) { send(text_message(Kind::failed, {}, error_to_bytes(error))); }

void EventSender::root_state(RootState state) {
  FromBuilder message;
  message.kind = Kind::root_state;
  message.root_state = std::move(state);
  send(std::move(message));
}

void EventSender::state_restored(const std::string &failure, bool is_damaged) {
  send(text_message(Kind::state_restored, failure, is_damaged ? kDamagedState : std::string_view()));
}

void EventSender::state_seen(cache::StateParts state, std::vector<std::string> random_paths,
                             const std::string &failure) {
  FromBuilder message = text_message(Kind::state_seen, failure);
  message.state = std::move(state);
  message.paths = std::move(random_paths);
  send(std::move(message));
}

void EventSender::done(std::vector<std::string> random_paths, std::uint64_t output_bytes, std::string tar_digest,
                       std::vector<Span> spans) {
  FromBuilder message;
  message.kind = Kind::done;
  message.paths = std::move(random_paths);
  message.output_bytes = output_bytes;
  message.text = std::move(tar_digest);
  message.spans = std::move(spans);
  send(std::move(message));
}

}  // namespace debroot::build
