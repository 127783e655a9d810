/// mmdebstrap's protocol between the half of a special hook that works inside the root and the half that works outside
/// (mmdebstrap(1), HOOKS): hook scripts speak it through "$MMDEBSTRAP_ARGV0" --hook-helper, so it is the same here.
///
/// A frame is a length in two bytes, the higher first, a verb of five bytes, and that many bytes of payload. The inside
/// asks:
///
///     openr PATH   the content of a file          untar PATH   unpack the tar that follows in a directory
///     mktar PATH   a tar of a file or directory   openw PATH   write the content that follows to a file
///     mktac PATH   a tar of a directory's content adios        this is the end
///
/// and gets `okthx`, or `error`. Content comes as frames `write`, each answered by `okthx`, and ends with `close`,
/// answered too. An `error` carries its text here; mmdebstrap's own ones have none, and do not look at it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "debroot/error.hpp"

namespace debroot::customize {

struct HookFrame {
  std::string verb;  ///< five bytes
  std::string payload;
};

/// One end of the connection. The descriptors stay the caller's. Functions throw Error of kind script when the other
/// end is gone, refuses, or says what was not expected.
class HookWire {
 public:
  /// `in` and `out` may be the same socket.
  HookWire(int in, int out) : in_(in), out_(out) {}

  void send(std::string_view verb, std::string_view payload = {});
  /// The next frame; nothing when the other end closed between two. Does not mind `error`.
  [[nodiscard]] std::optional<HookFrame> receive();
  /// Sends a request and waits for `okthx`.
  void request(std::string_view verb, std::string_view payload);

  /// Sends content, in pieces of 4096 bytes; the rest waits for more, or for `finish_content`.
  void send_content(std::string_view bytes);
  void finish_content();

  /// The next piece of content, acknowledged; nothing at its end, which `thank_for_content` acknowledges.
  [[nodiscard]] std::optional<std::string> receive_content();
  /// Takes what is left of the content and says that all of it went well.
  void thank_for_content();

  /// Tells the other end of a failure; one that is gone is not told.
  void refuse(const Error &error) noexcept;

 private:
  void write_all(std::string_view bytes);
  bool read_all(char *into, std::size_t size);
  void send_piece(std::string_view bytes);
  void expect_thanks();

  int in_;
  int out_;
  std::string pending_;  ///< content not sent yet
  bool is_content_over_ = false;
};

/// The other end said `error`.
class HookRefusal : public Error {
 public:
  using Error::Error;
};

}  // namespace debroot::customize
