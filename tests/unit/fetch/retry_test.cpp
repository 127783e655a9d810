#include "fetch/retry.hpp"

#include <gtest/gtest.h>

#include <string>

namespace debroot::fetch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr RetryDecision kNone{};
RetryDecision after(int ms) { return {true, milliseconds(ms), false}; }
RetryDecision over_after(int ms) { return {true, milliseconds(ms), true}; }

struct Case {
  std::string name;
  AttemptOutcome outcome;
  int attempt = 1;
  RetryDecision expected;
};

AttemptOutcome status(int code) { return {.failure = Failure::http_status, .http_status = code, .retry_after = {}}; }
AttemptOutcome status(int code, int retry_after) {
  return {.failure = Failure::http_status, .http_status = code, .retry_after = seconds(retry_after)};
}
AttemptOutcome of(Failure failure, bool was_resumed = false) {
  return {.failure = failure, .retry_after = {}, .was_resumed = was_resumed};
}

class RetryTest : public testing::TestWithParam<Case> {};

TEST_P(RetryTest, Decides) {
  const RetryPolicy policy;
  RetryDecision got = decide_retry(GetParam().outcome, GetParam().attempt, policy);
  EXPECT_EQ(got.is_retried, GetParam().expected.is_retried);
  EXPECT_EQ(got.delay.count(), GetParam().expected.delay.count());
  EXPECT_EQ(got.starts_over, GetParam().expected.starts_over);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RetryTest,
    testing::Values(
        Case{"success", of(Failure::none), 1, kNone},  //
        Case{"refused", of(Failure::connect), 1, after(250)},
        Case{"refused_again", of(Failure::connect), 2, after(500)},
        Case{"refused_third", of(Failure::connect), 3, after(1000)},
        Case{"refused_fourth", of(Failure::connect), 4, after(2000)},
        Case{"refused_too_often", of(Failure::connect), 5, kNone}, Case{"timeout", of(Failure::timeout), 1, after(250)},
        Case{"timeout_too_often", of(Failure::timeout), 5, kNone}, Case{"lost", of(Failure::lost), 1, after(250)},
        Case{"lost_while_resuming", of(Failure::lost, true), 1, after(250)},
        Case{"short_body", of(Failure::short_body), 1, after(250)},
        Case{"short_body_too_often", of(Failure::short_body), 5, kNone},
        Case{"unknown_host", of(Failure::dns), 1, after(250)},
        Case{"unknown_host_again", of(Failure::dns), 2, after(500)},
        Case{"unknown_host_for_good", of(Failure::dns), 3, kNone},
        Case{"untrusted_certificate", of(Failure::tls), 1, kNone}, Case{"http_400", status(400), 1, kNone},
        Case{"http_401", status(401), 1, kNone}, Case{"http_403", status(403), 1, kNone},
        Case{"http_404", status(404), 1, kNone}, Case{"http_407", status(407), 1, kNone},
        Case{"http_410", status(410), 1, kNone}, Case{"http_408", status(408), 1, after(250)},
        Case{"http_425", status(425), 1, after(250)}, Case{"http_429", status(429), 1, after(250)},
        Case{"http_500", status(500), 1, after(250)}, Case{"http_502", status(502), 2, after(500)},
        Case{"http_503", status(503), 4, after(2000)}, Case{"http_503_too_often", status(503), 5, kNone},
        Case{"http_504", status(504), 1, after(250)}, Case{"http_501", status(501), 1, kNone},
        Case{"http_505", status(505), 1, kNone}, Case{"retry_after", status(503, 7), 1, after(7000)},
        Case{"retry_after_is_cut", status(429, 3600), 1, after(30000)},
        Case{"retry_after_cannot_overflow", status(429, 1'000'000'000), 1, after(30000)},
        Case{"retry_after_zero_still_backs_off", status(503, 0), 2, after(500)},
        Case{"retry_after_does_not_make_404_pass", status(404, 1), 1, kNone},
        Case{"wrong_body", of(Failure::wrong_body), 1, over_after(250)},
        Case{"wrong_body_again", of(Failure::wrong_body), 2, over_after(500)},
        Case{"wrong_body_for_good", of(Failure::wrong_body), 3, kNone},
        Case{"wrong_body_after_resuming", of(Failure::wrong_body, true), 1, over_after(0)},
        Case{"wrong_body_after_resuming_too_often", of(Failure::wrong_body, true), 5, kNone},
        Case{"bad_range", of(Failure::bad_range, true), 1, over_after(0)},
        Case{"bad_range_too_often", of(Failure::bad_range, true), 5, kNone},
        Case{"too_large", of(Failure::too_large), 1, kNone}, Case{"disk_full", of(Failure::local), 1, kNone},
        Case{"anything_else", of(Failure::other), 1, kNone}),
    [](const testing::TestParamInfo<Case> &tested) { return tested.param.name; });

TEST(RetryDelay, NeverExceedsItsCeiling) {
  RetryPolicy policy{.most_attempts = 1000};
  EXPECT_EQ(decide_retry(of(Failure::lost), 6, policy).delay, milliseconds(8000));
  EXPECT_EQ(decide_retry(of(Failure::lost), 999, policy).delay, milliseconds(8000));
}

}  // namespace
}  // namespace debroot::fetch
