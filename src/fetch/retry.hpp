/// Which failures of a transfer can pass, and how long to wait before trying again. Pure.
#pragma once

#include <chrono>
#include <optional>

namespace debroot::fetch {

/// Why an attempt to get a file ended without it.
enum class Failure {
  none,
  dns,          ///< the host's or the proxy's name was not resolved
  connect,      ///< no connection, or it broke before HTTP could be spoken
  timeout,      ///< connecting took too long, or (nearly) no data came for too long
  lost,         ///< the connection ended in the middle
  tls,          ///< the certificate is not to be trusted
  http_status,  ///< an answer other than the file
  short_body,   ///< complete for HTTP, yet smaller than the index says
  wrong_body,   ///< digest or size differ from the index: often one mirror behind another
  too_large,    ///< above a ceiling that no index gave
  bad_range,    ///< the server cannot continue at our offset
  local,        ///< this machine could not store it
  other,        ///< anything else, nothing of which gets better by itself
};

/// What is known of one attempt that failed.
struct AttemptOutcome {
  Failure failure = Failure::none;
  int http_status = 0;                                   ///< for Failure::http_status
  std::optional<std::chrono::seconds> retry_after = {};  ///< the server's wish
  bool was_resumed = false;                              ///< the attempt continued bytes of an earlier one
};

/// Delays and numbers; tests shrink them.
struct RetryPolicy {
  std::chrono::milliseconds first_delay{250};  ///< before the second attempt; doubled for each one after
  std::chrono::milliseconds longest_delay{8000};
  std::chrono::milliseconds longest_retry_after{30000};  ///< a server's Retry-After is cut to this
  int most_attempts = 5;                                 ///< for what a busy or flaky network does
  int most_doubtful_attempts = 3;                        ///< for unknown hosts and bodies that differ from the index
};

/// Whether and how to go on.
struct RetryDecision {
  bool is_retried = false;
  std::chrono::milliseconds delay{0};
  bool starts_over = false;  ///< bytes held so far are no good

  friend bool operator==(const RetryDecision &, const RetryDecision &) = default;
};

/// What follows `outcome`, `attempt` (1, 2, …) being the number of attempts that failed so far.
[[nodiscard]] RetryDecision decide_retry(const AttemptOutcome &outcome, int attempt, const RetryPolicy &policy);

}  // namespace debroot::fetch
