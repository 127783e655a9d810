/// An HTTP/1.1 server on 127.0.0.1 for tests, with faults by script.
///
/// It serves bodies put into it and, beneath them, one directory. It keeps connections, knows Range (with If-Range),
/// ETag and Last-Modified validators, and pipelined requests, so that apt can use it as well. Asked like a proxy
/// (absolute URL in the request line) it answers for any host by the URL's path.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace debroot::test {

/// One request as it came.
struct ServedRequest {
  std::string target;  ///< of the request line: "/dists/…", or an absolute URL when asked as a proxy
  std::string path;    ///< decoded, without host and query
  std::map<std::string, std::string> headers;  ///< names in lower case

  /// Value of a header, empty if there is none. @param name in lower case
  [[nodiscard]] std::string header(const std::string &name) const;
};

/// What a handler answers.
struct ServedResponse {
  int status = 200;
  std::string body = {};
  std::vector<std::string> headers = {};  ///< "Name: value"; Content-Length is added
};

/// What goes wrong with one request. Parts may be combined.
struct Fault {
  int status = 0;                               ///< answer with this status instead
  std::vector<std::string> headers = {};        ///< additional ones
  std::optional<std::string> body = {};         ///< send this instead of the real body
  std::optional<std::size_t> close_after = {};  ///< close after that many bytes of the body
  bool is_reset = false;                        ///< close before answering at all
  bool hides_length = false;                    ///< no Content-Length: the end of the connection ends the body
  std::chrono::milliseconds stall{0};           ///< wait this long after the header, before the body
  bool ignores_range = false;                   ///< answer 200 with the whole body
};

/// Starts with its construction, stops with its destruction. All functions may be called while it serves.
class FakeServer {
 public:
  FakeServer();
  explicit FakeServer(std::string directory);
  FakeServer(const FakeServer &) = delete;
  FakeServer &operator=(const FakeServer &) = delete;
  ~FakeServer();

  /// "http://127.0.0.1:PORT" followed by `path`, which begins with a slash or is empty.
  [[nodiscard]] std::string url(const std::string &path = {}) const;
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  /// Serves `body` at `path`; its ETag is made from its content.
  void put(const std::string &path, std::string body);
  void remove(const std::string &path);
  /// Answers `path` by code.
  void handle(const std::string &path, std::function<ServedResponse(const ServedRequest &)> handler);
  /// The next requests for `path` meet these faults, one each; those after them are served well.
  void script(const std::string &path, std::vector<Fault> faults);
  /// Every answer waits this long.
  void set_latency(std::chrono::milliseconds latency);

  /// How often `path` was asked for.
  [[nodiscard]] std::size_t requests(const std::string &path) const;
  /// All requests in the order in which they came.
  [[nodiscard]] std::vector<ServedRequest> log() const;
  [[nodiscard]] std::size_t connections() const;
  /// The greatest number of requests that were being answered at the same time.
  [[nodiscard]] std::size_t most_at_once() const;

 private:
  struct Answer;
  struct State {
    std::map<std::string, std::string> bodies;
    std::map<std::string, std::function<ServedResponse(const ServedRequest &)>> handlers;
    std::map<std::string, std::deque<Fault>> faults;
    std::vector<ServedRequest> log;
    std::chrono::milliseconds latency{0};
    std::vector<int> open_sockets;
    std::vector<std::thread> threads;
    std::size_t connections = 0;
    std::size_t at_once = 0;
    std::size_t most_at_once = 0;
    bool is_stopping = false;
  };

  void listen();
  void accept_all();
  void serve_connection(int socket);
  [[nodiscard]] bool serve_request(int socket, const ServedRequest &request);
  [[nodiscard]] Answer answer_to(const ServedRequest &request, const Fault &fault);
  [[nodiscard]] bool send_answer(int socket, const Answer &answer, const Fault &fault);
  [[nodiscard]] Fault next_fault(const std::string &path);
  void pause(std::chrono::milliseconds duration);

  std::string directory_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  State state_;
  std::thread acceptor_;
};

}  // namespace debroot::test
