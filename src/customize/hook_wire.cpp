#include "customize/hook_wire.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"

namespace debroot::customize {
namespace {

constexpr std::size_t kVerbBytes = 5;
constexpr std::size_t kHeaderBytes = 2 + kVerbBytes;
constexpr std::size_t kPieceBytes = 4096;
constexpr std::size_t kLargestPayload = 0xffff;

Error lost_peer() {
  return {ErrorKind::script, "cannot copy between the root and the outside: the other side of the hook is gone"};
}

[[noreturn]] void refuse_frame(const HookFrame &frame, std::string_view wanted) {
  if (frame.verb == "error") {
    throw HookRefusal(ErrorKind::script, frame.payload.empty() ? "the other side of the hook failed" : frame.payload);
  }
  throw Error(ErrorKind::script, fmt::format("cannot copy between the root and the outside: got '{}' where '{}' "
                                             "was expected",
                                             frame.verb, wanted));
}

}  // namespace

void HookWire::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::send(out_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == ENOTSOCK) put = ::write(out_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw lost_peer();
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

/// False when there is nothing more before the first byte.
bool HookWire::read_all(char *into, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    ssize_t got = ::read(in_, into + have, size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 && have == 0) return false;
    if (got <= 0) throw lost_peer();
    have += static_cast<std::size_t>(got);
  }
  return true;
}

void HookWire::send(std::string_view verb, std::string_view payload) {
  payload = payload.substr(0, kLargestPayload);
  std::string frame;
  frame += static_cast<char>(payload.size() >> 8);
  frame += static_cast<char>(payload.size() & 0xff);
  frame += verb;
  frame += payload;
  write_all(frame);
}

std::optional<HookFrame> HookWire::receive() {
  std::array<char, kHeaderBytes> header{};
  if (!read_all(header.data(), header.size())) return std::nullopt;
  auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(header.at(at))); };
  HookFrame frame{std::string(header.data() + 2, kVerbBytes), std::string(byte(0) << 8 | byte(1), '\0')};
  if (!frame.payload.empty() && !read_all(frame.payload.data(), frame.payload.size())) throw lost_peer();
  return frame;
}

void HookWire::expect_thanks() {
  std::optional<HookFrame> frame = receive();
  if (!frame) throw lost_peer();
  if (frame->verb != "okthx") refuse_frame(*frame, "okthx");
}

void HookWire::request(std::string_view verb, std::string_view payload) {
  is_content_over_ = false;
  pending_.clear();
  send(verb, payload);
  expect_thanks();
}

void HookWire::send_piece(std::string_view bytes) {
  send("write", bytes);
  expect_thanks();
}

void HookWire::send_content(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t taken = std::min(bytes.size(), kPieceBytes - pending_.size());
    pending_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (pending_.size() < kPieceBytes) return;
    send_piece(pending_);
    pending_.clear();
  }
}

void HookWire::finish_content() {
  if (!pending_.empty()) send_piece(pending_);
  pending_.clear();
  send("close");
  expect_thanks();
}

std::optional<std::string> HookWire::receive_content() {
  if (is_content_over_) return std::nullopt;
  std::optional<HookFrame> frame = receive();
  if (!frame) throw lost_peer();
  if (frame->verb == "close") {
    is_content_over_ = true;
    return std::nullopt;
  }
  if (frame->verb != "write") refuse_frame(*frame, "write");
  send("okthx");
  return std::move(frame->payload);
}

void HookWire::thank_for_content() {
  while (receive_content()) {
  }
  is_content_over_ = false;
  send("okthx");
}

void HookWire::refuse(const Error &error) noexcept {
  is_content_over_ = false;
  pending_.clear();
  try {
    send("error", error.message());
  } catch (const std::exception &) {
    // nobody is left to tell
  }
}

}  // namespace debroot::customize
