/// Signals that end a build: the first asks it to stop in good order, the second interrupt ends the process at once.
#pragma once

#include <memory>
#include <stop_token>

namespace debroot::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP request a stop, and a broken pipe is an error of write(2) instead of the
/// end of the process. Handlers, unlike ignored signals, do not outlive exec, so programs that the build starts see
/// none of this. One at a time.
class SignalStop {
 public:
  SignalStop();
  SignalStop(const SignalStop &) = delete;
  SignalStop &operator=(const SignalStop &) = delete;
  /// Puts back what was there before.
  ~SignalStop();

  [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }
  /// The first of these signals that came, 0 if none.
  [[nodiscard]] static int received() noexcept;

 private:
  std::stop_source source_;
  struct Saved;
  std::unique_ptr<Saved> saved_;
};

}  // namespace debroot::cli
