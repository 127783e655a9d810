#include "fetch/retry.hpp"

#include <algorithm>

namespace debroot::fetch {

namespace {

using std::chrono::milliseconds;

/// Answers of a server that is overloaded, restarting or behind a proxy in trouble.
bool is_passing_status(int status) {
  constexpr int kNotImplemented = 501;
  constexpr int kVersionNotSupported = 505;
  if (status == 408 || status == 425 || status == 429) return true;
  return status >= 500 && status < 600 && status != kNotImplemented && status != kVersionNotSupported;
}

milliseconds delay_after(int attempt, const RetryPolicy &policy) {
  milliseconds delay = policy.first_delay;
  for (int i = 1; i < attempt && delay < policy.longest_delay; ++i) delay *= 2;
  return std::min(delay, policy.longest_delay);
}

RetryDecision retry_within(int most, int attempt, const RetryPolicy &policy) {
  if (attempt >= most) return {};
  return {.is_retried = true, .delay = delay_after(attempt, policy), .starts_over = false};
}

}  // namespace

RetryDecision decide_retry(const AttemptOutcome &outcome, int attempt, const RetryPolicy &policy) {
  switch (outcome.failure) {
    case Failure::connect:
    case Failure::timeout:
    case Failure::lost:
    case Failure::short_body:
      return retry_within(policy.most_attempts, attempt, policy);
    case Failure::dns:
      return retry_within(policy.most_doubtful_attempts, attempt, policy);
    case Failure::http_status: {
      if (!is_passing_status(outcome.http_status)) return {};
      RetryDecision decision = retry_within(policy.most_attempts, attempt, policy);
      if (decision.is_retried && outcome.retry_after) {
        // compared in seconds: the header may hold a number that overflows as milliseconds
        milliseconds wish = std::chrono::floor<std::chrono::seconds>(policy.longest_retry_after) < *outcome.retry_after
                                ? policy.longest_retry_after
                                : milliseconds(*outcome.retry_after);
        decision.delay = std::max(decision.delay, wish);
      }
      return decision;
    }
    case Failure::bad_range:
      if (attempt >= policy.most_attempts) return {};
      return {.is_retried = true, .delay = milliseconds{0}, .starts_over = true};
    case Failure::wrong_body: {
      // a wrong beginning that was continued says nothing about the server, so it is asked for the whole at once
      if (outcome.was_resumed && attempt < policy.most_attempts) {
        return {.is_retried = true, .delay = milliseconds{0}, .starts_over = true};
      }
      RetryDecision decision = retry_within(policy.most_doubtful_attempts, attempt, policy);
      decision.starts_over = decision.is_retried;
      return decision;
    }
    case Failure::none:
    case Failure::tls:
    case Failure::too_large:
    case Failure::local:
    case Failure::other:
      return {};
  }
  return {};
}

}  // namespace debroot::fetch
