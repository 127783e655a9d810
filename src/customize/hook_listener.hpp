/// mmdebstrap's special hooks, the half outside: reads and writes files with the caller's own identity, relative to the
/// caller's directory, as the half inside the root asks for them (run_special_verb).
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/fd.hpp"
#include "customize/hook_wire.hpp"

namespace debroot::customize {

/// Serves requests until the other end says so or closes. A request that fails is refused with the reason, told to
/// `on_failure` (may be empty), and does not end the service.
/// @throws Error of kind script when the other end stops in the middle of something
void serve_hook_requests(HookWire &wire, const std::function<void(const Error &)> &on_failure);

/// A process that serves. It exists beside the build because nothing in the builder's namespaces has the caller's
/// identity, and what it reads may block.
class HookListener {
 public:
  HookListener() = default;
  /// Forks it; the caller has one thread. @throws Error
  [[nodiscard]] static HookListener start();
  HookListener(HookListener &&other) noexcept
      : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}
  HookListener &operator=(HookListener &&other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(socket_, other.socket_);
    return *this;
  }
  HookListener(const HookListener &) = delete;
  HookListener &operator=(const HookListener &) = delete;
  /// Ends it.
  ~HookListener();

  /// The end of the connection for the inside; -1 when there is none.
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }

 private:
  HookListener(pid_t pid, base::Fd socket) : pid_(pid), socket_(std::move(socket)) {}

  pid_t pid_ = -1;
  base::Fd socket_;
};

}  // namespace debroot::customize
