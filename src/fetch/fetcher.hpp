/// fetch/: gets files by URL, from a cache where it holds them, and hands them out as untrusted.
///
/// One Fetcher owns one thread, which runs all transfers over kept connections (libcurl multi). Requests go in by
/// `submit`, ends come out by `take_completion` or `wait`; an end is a value, an Error among them, so that the caller
/// reports the failure that comes first in its own order, not in time. Digests, sizes and ceilings that a request
/// carries are enforced here; a failure that can pass is retried (fetch/retry.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "debroot/plan.hpp"
#include "fetch/curl.hpp"
#include "fetch/request.hpp"
#include "fetch/retry.hpp"

namespace debroot::fetch {

/// Everything a Fetcher needs to know. Besides it libcurl reads http_proxy, https_proxy, all_proxy and no_proxy from
/// the environment, and the user's .netrc.
struct FetchOptions {
  CachePlan cache;
  std::string temporary_directory = "/tmp";  ///< for unnamed files when nothing is cached
  unsigned parallel = 8;                     ///< transfers at a time to one server
  HttpProxies proxies;                       ///< Acquire::http::Proxy, Acquire::https::Proxy
  std::stop_token stop;                      ///< ends every request at once with an Error of kind interrupted
  RetryPolicy retry;
  HttpPatience patience;
  /// How long a file that another process downloads may not grow before it is downloaded here as well.
  std::chrono::milliseconds lock_patience{10000};
};

/// Used by one thread, apart from `totals`.
class Fetcher {
 public:
  /// Readies the cache; starts nothing, so that the process may still fork. @throws Error when the cache directory
  /// cannot be used
  explicit Fetcher(FetchOptions options);
  Fetcher(const Fetcher &) = delete;
  Fetcher &operator=(const Fetcher &) = delete;
  /// Breaks off what is running; partial files stay in the cache for the next run.
  ~Fetcher();

  /// Adds a request; the first one starts the thread. Requests to one server begin in the order they were added.
  /// @return the ticket, 0 for the first request and one more for each
  std::size_t submit(Request request);

  /// Becomes readable (poll(2)) while `take_completion` has something to give. Do not read from it.
  [[nodiscard]] int completion_fd() const noexcept;

  /// An end that was not taken yet, without waiting.
  [[nodiscard]] std::optional<Completion> take_completion();

  /// Waits for any end. @throws Error of kind internal when every request's end was taken
  [[nodiscard]] Completion wait();

  /// Waits for the end of that request; others stay to be taken. @throws Error of kind internal when it was taken
  [[nodiscard]] Completion wait(std::size_t ticket);

  /// Submits all and waits for all. @return their ends in the order of `requests`
  [[nodiscard]] std::vector<Completion> fetch_all(std::vector<Request> requests);

  /// Sums so far, for progress. May be called from any thread.
  [[nodiscard]] Transferred totals() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The file of a request that had to succeed. @throws the Error it ended with
[[nodiscard]] Fetched require(Completion completion);

}  // namespace debroot::fetch
