#include "base/channel.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace debroot::base {
namespace {

constexpr std::size_t kMaxFds = 16;

struct Header {
  std::uint32_t length;
  std::uint32_t fds;
};

/// Sends `bytes` in full; the descriptors go with the first byte.
void send_bytes(int socket, std::string_view bytes, const std::vector<int> &fds) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
  bool with_fds = !fds.empty();
  while (!bytes.empty()) {
    iovec part{const_cast<char *>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (with_fds) {
      message.msg_control = control.data();
      message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
      cmsghdr *head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
      std::memcpy(CMSG_DATA(head), fds.data(), sizeof(int) * fds.size());
    }
    ssize_t put = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw os_error(ErrorKind::internal, errno, "cannot send to another process of debroot");
    with_fds = false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

/// Takes the descriptors that came with a message.
void collect_fds(msghdr &message, std::vector<Fd> &fds) {
  for (cmsghdr *head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

/// Fills `length` bytes; false when the peer closed before the first one.
bool receive_bytes(int socket, char *into, std::size_t length, std::vector<Fd> &fds) {
  std::size_t have = 0;
  while (have < length) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxFds)> control{};
    iovec part{into + have, length - have};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ECONNRESET) {
      throw os_error(ErrorKind::internal, errno, "cannot receive from another process of debroot");
    }
    collect_fds(message, fds);
    if (got <= 0) {
      if (have == 0) return false;
      throw Error(ErrorKind::internal, "another process of debroot stopped in the middle of a message");
    }
    have += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::pair<Channel, Channel> Channel::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw os_error(ErrorKind::internal, errno, "cannot make a socket pair");
  }
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

void Channel::send(std::string_view bytes, const std::vector<int> &fds) {
  if (fds.size() > kMaxFds) throw Error(ErrorKind::internal, "too many file descriptors for one message");
  Header header{static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(fds.size())};
  std::string frame(sizeof(header), '\0');
  std::memcpy(frame.data(), &header, sizeof(header));
  send_bytes(socket_.get(), frame, fds);
  send_bytes(socket_.get(), bytes, {});
}

std::optional<ChannelMessage> Channel::receive() {
  ChannelMessage message;
  Header header{};
  if (!receive_bytes(socket_.get(), reinterpret_cast<char *>(&header), sizeof(header), message.fds)) {
    return std::nullopt;
  }
  message.bytes.resize(header.length);
  if (header.length > 0 && !receive_bytes(socket_.get(), message.bytes.data(), header.length, message.fds)) {
    throw Error(ErrorKind::internal, "another process of debroot stopped in the middle of a message");
  }
  if (message.fds.size() != header.fds) throw Error(ErrorKind::internal, "file descriptors were lost on the way");
  return message;
}

}  // namespace debroot::base
