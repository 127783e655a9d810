/// Messages with file descriptors between debroot's own processes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace debroot::base {

/// One message: bytes (see base/wire.hpp for structs) and the descriptors that travel with it.
struct ChannelMessage {
  std::string bytes;
  std::vector<Fd> fds;
};

/// One end of a stream socket pair that carries framed messages of any length. Not thread-safe.
class Channel {
 public:
  Channel() = default;
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}

  /// Two connected ends, both close-on-exec. @throws Error
  [[nodiscard]] static std::pair<Channel, Channel> make_pair();

  /// Sends one message and at most 16 descriptors, blocking. @throws Error of kind internal when the peer is gone.
  void send(std::string_view bytes, const std::vector<int> &fds = {});

  /// Next message, blocking; nothing when the peer closed its end between two messages. @throws Error
  [[nodiscard]] std::optional<ChannelMessage> receive();

  /// For poll(2).
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  void close() noexcept { socket_.reset(); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(socket_); }

 private:
  Fd socket_;
};

}  // namespace debroot::base
