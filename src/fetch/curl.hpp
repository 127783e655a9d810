/// HTTP transfers side by side on the caller's thread; the one wrapper of libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debroot/error.hpp"
#include "fetch/retry.hpp"

namespace debroot::fetch {

/// What an answer said before its body.
struct HttpHead {
  int status = 0;
  std::string etag = {};
  std::string last_modified = {};
  std::optional<std::uint64_t> range_start = {};         ///< first byte of a 206
  std::optional<std::chrono::seconds> retry_after = {};  ///< only the form that is a number
};

/// Takes the body of one transfer. Both functions return false to break it off, and may throw Error to that end.
class HttpSink {
 public:
  HttpSink() = default;
  HttpSink(const HttpSink &) = delete;
  HttpSink &operator=(const HttpSink &) = delete;
  virtual ~HttpSink() = default;

  /// Called once before the first byte of a 200 or 206; redirects were followed, other bodies are never passed on.
  virtual bool begin(const HttpHead &head) = 0;
  virtual bool write(std::string_view bytes) = 0;
};

/// One GET.
struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;   ///< additional ones, "Name: value"
  std::uint64_t resume_at_bytes = 0;  ///< ask for the rest from here
};

/// How a transfer ended.
struct HttpResult {
  std::size_t id = 0;
  Failure failure = Failure::none;  ///< http_status for anything but 200, 206 and, if nothing broke, 304
  HttpHead head = {};
  std::string cause = {};                ///< end of a sentence: "HTTP error 404", "connection refused"
  std::string remark = {};               ///< libcurl's own words, where they say more; without credentials
  bool is_broken_off = false;            ///< by the sink
  std::optional<Error> sink_error = {};  ///< what the sink threw
};

/// How long to wait for a server.
struct HttpPatience {
  std::chrono::milliseconds connect{20000};  ///< name resolution, connection, TLS
  std::chrono::milliseconds stall{30000};    ///< fewer than kLeastBytes within this is a timeout
};
inline constexpr std::uint64_t kLeastBytes = 1024;

/// Proxies as apt's options give them. Empty: what http_proxy, https_proxy, all_proxy say; "DIRECT": none.
/// no_proxy of the environment holds in every case.
struct HttpProxies {
  std::string http;
  std::string https;  ///< empty: as `http`, as with apt
};

/// Keeps connections between transfers. Only `wake` may be called from another thread.
class HttpClient {
 public:
  HttpClient(HttpProxies proxies, HttpPatience patience);
  HttpClient(const HttpClient &) = delete;
  HttpClient &operator=(const HttpClient &) = delete;
  /// Breaks off what is still running.
  ~HttpClient();

  /// Begins a transfer; `sink` must outlive it. @throws Error of kind internal
  void start(std::size_t id, const HttpRequest &request, HttpSink &sink);
  /// Moves bytes, and waits up to `longest` for something to do.
  void run(std::chrono::milliseconds longest);
  /// Transfers that ended since the last call.
  [[nodiscard]] std::vector<HttpResult> take_finished();
  /// Breaks off everything; nothing of it is reported, no sink is used any more.
  void cancel_all();
  /// Makes a `run` that waits, or the next one, return at once.
  void wake() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace debroot::fetch
