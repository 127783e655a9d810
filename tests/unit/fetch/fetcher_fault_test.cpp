#include <thread>

#include "fetch/fetcher.hpp"
#include "unit/fetch/fetch_fixture.hpp"

namespace debroot::fetch {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using test::Fault;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

/// Far below every delay in these tests, yet enough for a machine that is busy with something else.
constexpr milliseconds kAtOnce{1500};

class FetcherFaultTest : public FetchTest {
 protected:
  const std::string kPath = "/pool/a.deb";
};

TEST_F(FetcherFaultTest, BusyServerIsAskedAgain) {
  std::string body = body_of(5000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.status = 503}, {.status = 500}, {.status = 429, .headers = {"Retry-After: 0"}}});
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  EXPECT_EQ(server.requests(kPath), 4U);
}

TEST_F(FetcherFaultTest, BusyServerIsGivenUp) {
  server.script(kPath, std::vector<Fault>(9, Fault{.status = 503}));
  EXPECT_EQ(failure_of(get(options(), {.url = server.url(kPath), .purpose = "an index"})),
            "cannot download '" + server.url(kPath) + "': HTTP error 503\nfrom: an index\ngot: 5 failed attempts");
  EXPECT_EQ(server.requests(kPath), 5U);
}

TEST_F(FetcherFaultTest, LongErrorPageIsNotReadToItsEnd) {
  server.script(kPath, {{.status = 404, .body = body_of(8 << 20)}});
  Fetcher fetcher(options());
  EXPECT_EQ(failure_of(fetcher.wait(fetcher.submit({.url = server.url(kPath)}))),
            "cannot download '" + server.url(kPath) + "': HTTP error 404");
  EXPECT_EQ(fetcher.totals().network_bytes, 0U);
}

TEST_F(FetcherFaultTest, ResetConnectionIsTriedAgain) {
  Request request = serve(kPath, "body");
  server.script(kPath, {{.is_reset = true}, {.is_reset = true}});
  EXPECT_EQ(text_of(require(get(options(), request))), "body");
}

TEST_F(FetcherFaultTest, RefusedConnectionIsGivenUp) {
  std::string url;
  {
    test::FakeServer gone;
    url = gone.url("/a");
  }
  Completion end = get(options(), {.url = url});
  EXPECT_EQ(kind_of(end), ErrorKind::network);
  std::string address = url.substr(7, url.size() - 7 - 2);
  std::string port = address.substr(address.find(':') + 1);
  // Debian 13's libcurl has "Could not"
  EXPECT_THAT(failure_of(end), testing::MatchesRegex("cannot download '" + url + "': connection refused\n" +
                                                     "got: Failed to connect to 127.0.0.1 port " + port +
                                                     ": Could(n't| not) connect to server\ngot: 5 failed attempts"));
}

TEST_F(FetcherFaultTest, CutTransferIsResumed) {
  std::string body = body_of(100'000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.close_after = 40'000}});
  Fetched fetched = require(get(options(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(fetched.network_bytes, body.size());
  EXPECT_EQ(server.log().at(1).header("range"), "bytes=40000-");
}

TEST_F(FetcherFaultTest, ResumptionWorksWithoutACacheToo) {
  std::string body = body_of(100'000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.close_after = 40'000}});
  Fetched fetched = require(get(options_without_cache(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(fetched.network_bytes, body.size());
  EXPECT_THAT(names_in(scratch), IsEmpty());
}

TEST_F(FetcherFaultTest, ProgressIsWorthMoreAttemptsThanAllowed) {
  std::string body = body_of(1'000'000);
  Request request = serve(kPath, body);
  server.script(kPath, std::vector<Fault>(9, Fault{.close_after = 100'000}));
  Fetched fetched = require(get(options(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(server.requests(kPath), 10U);
}

TEST_F(FetcherFaultTest, ServerWithoutRangesSendsAllAgain) {
  std::string body = body_of(100'000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.close_after = 40'000}, {.ignores_range = true}});
  Fetched fetched = require(get(options(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(fetched.network_bytes, 140'000U);
}

TEST_F(FetcherFaultTest, ServerWithoutRangesThatAlwaysCutsIsGivenUp) {
  Request request = serve(kPath, body_of(300'000));
  server.script(kPath, std::vector<Fault>(99, Fault{.close_after = 200'000, .ignores_range = true}));
  EXPECT_EQ(failure_of(get(options(), request)),
            "cannot download '" + request.url + "': connection lost\ngot: 5 failed attempts");
}

TEST_F(FetcherFaultTest, WithoutADigestNothingIsContinued) {
  server.put(kPath, "whole body");
  server.script(kPath, {{.close_after = 4}});
  EXPECT_EQ(text_of(require(get(options(), {.url = server.url(kPath)}))), "whole body");
  EXPECT_EQ(server.log().at(1).header("range"), "");
}

TEST_F(FetcherFaultTest, PartialFileOfAnEarlierRunIsContinued) {
  std::string body = body_of(100'000);
  Request request = serve(kPath, body);
  write_file(partial_path(body), body.substr(0, 70'000));
  Fetched fetched = require(get(options(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(fetched.network_bytes, 30'000U);
  EXPECT_FALSE(fs::exists(partial_path(body)));
  EXPECT_EQ(base::read_file(cached_path(body)), body);
}

TEST_F(FetcherFaultTest, WholePartialFileNeedsNoNetwork) {
  std::string body = body_of(10'000);
  Request request = serve(kPath, body);
  write_file(partial_path(body), body);
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(FetcherFaultTest, PartialFileOfOtherContentIsThrownAway) {
  std::string body = body_of(10'000);
  Request request = serve(kPath, body);
  for (std::size_t size : {5'000U, 10'000U, 11'000U}) {
    fs::remove(cached_path(body));
    write_file(partial_path(body), body_of(size, 99));
    EXPECT_EQ(text_of(require(get(options(), request))), body) << size;
  }
}

TEST_F(FetcherFaultTest, PartialFileLongerThanTheServersIsThrownAway) {
  std::string body = body_of(1000);
  server.put(kPath, body);
  write_file(partial_path(body), body_of(3000, 99));
  EXPECT_EQ(text_of(require(get(options(), {.url = server.url(kPath), .sha256 = sha256_of(body)}))), body);
  EXPECT_EQ(server.log().at(0).header("range"), "bytes=3000-");
  EXPECT_EQ(server.log().at(1).header("range"), "");
}

TEST_F(FetcherFaultTest, AnswerWithAnotherRangeIsNotAppended) {
  std::string body = body_of(10'000);
  Request request = serve(kPath, body);
  write_file(partial_path(body), body.substr(0, 4000));
  server.handle(kPath, [&](const test::ServedRequest &asked) {
    if (asked.header("range").empty()) return test::ServedResponse{200, body, {}};
    return test::ServedResponse{206, body.substr(5000), {"Content-Range: bytes 5000-9999/10000"}};
  });
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  EXPECT_EQ(server.requests(kPath), 2U);
}

TEST_F(FetcherFaultTest, BodyBeyondTheSizeOfTheIndexIsBrokenOff) {
  server.put(kPath, body_of(8 << 20));
  Request request{.url = server.url(kPath), .sha256 = sha256_of("x"), .size_bytes = 1000};
  Fetcher fetcher(options());
  Completion end = fetcher.wait(fetcher.submit(request));
  EXPECT_EQ(kind_of(end), ErrorKind::network);
  EXPECT_EQ(failure_of(end), "cannot download '" + request.url + "': larger than 1000 bytes\ngot: 3 failed attempts");
  EXPECT_LT(fetcher.totals().network_bytes, 1'000'000U);
  EXPECT_THAT(names_in(scratch + "/cache/partial"), IsEmpty());
}

TEST_F(FetcherFaultTest, BodyBeyondALimitIsBrokenOffAndNotAskedForAgain) {
  server.put(kPath, body_of(100'000));
  EXPECT_EQ(failure_of(get(options(), {.url = server.url(kPath), .limit_bytes = 1000, .is_release = true})),
            "cannot download '" + server.url(kPath) + "': larger than 1000 bytes");
  EXPECT_EQ(server.requests(kPath), 1U);
}

TEST_F(FetcherFaultTest, ShortBodyIsNeverTakenForWhole) {
  std::string body = body_of(5000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.close_after = 3000, .hides_length = true}});
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  EXPECT_EQ(server.log().at(1).header("range"), "bytes=3000-");
}

TEST_F(FetcherFaultTest, BodyThatIsTooShortOnTheServerIsGivenUp) {
  server.put(kPath, "abc");
  EXPECT_EQ(failure_of(get(options(), {.url = server.url(kPath), .size_bytes = 10})),
            "cannot download '" + server.url(kPath) + "': ended after 3 of 10 bytes\ngot: 5 failed attempts");
}

TEST_F(FetcherFaultTest, WrongBodyIsAskedForAgainPastCaches) {
  std::string body = body_of(5000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.body = body_of(5000, 99)}});
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  EXPECT_EQ(server.log().at(0).header("cache-control"), "");
  EXPECT_EQ(server.log().at(1).header("cache-control"), "no-cache");
  EXPECT_EQ(server.log().at(1).header("range"), "");
}

TEST_F(FetcherFaultTest, WrongBodyIsGivenUpWithBothDigests) {
  Request request = serve(kPath, "good");
  request.purpose = "an index";
  server.put(kPath, "evil");
  Completion end = get(options(), request);
  EXPECT_EQ(kind_of(end), ErrorKind::trust);
  EXPECT_EQ(failure_of(end), "cannot trust '" + request.url + "': wrong SHA-256\nfrom: an index\nexpected: " +
                                 sha256_of("good") + "\ngot: " + sha256_of("evil") + "\ngot: 3 failed attempts");
  EXPECT_THAT(names_in(scratch + "/cache/partial"), IsEmpty());
  EXPECT_FALSE(fs::exists(cached_path("good")));
}

TEST_F(FetcherFaultTest, StalledTransferIsGivenUpAndResumed) {
  std::string body = body_of(5000);
  Request request = serve(kPath, body);
  server.script(kPath, {{.stall = milliseconds(20'000)}});
  FetchOptions with = options();
  with.patience.stall = milliseconds(150);
  EXPECT_EQ(text_of(require(get(with, request))), body);
  EXPECT_EQ(server.requests(kPath), 2U);
}

TEST_F(FetcherFaultTest, StalledServerIsNamed) {
  server.put(kPath, "body");
  server.script(kPath, std::vector<Fault>(5, Fault{.stall = milliseconds(20'000)}));
  FetchOptions with = options();
  with.patience.stall = milliseconds(50);
  EXPECT_EQ(failure_of(get(with, {.url = server.url(kPath)})),
            "cannot download '" + server.url(kPath) + "': no data for 0.05 s\ngot: 5 failed attempts");
}

TEST_F(FetcherFaultTest, StopEndsEverythingAtOnce) {
  std::stop_source source;
  FetchOptions with = options();
  with.stop = source.get_token();
  server.put(kPath, "body");
  server.script(kPath, {{.stall = milliseconds(20'000)}});
  server.script("/busy", std::vector<Fault>(9, Fault{.status = 503, .headers = {"Retry-After: 30"}}));
  with.retry.longest_retry_after = milliseconds(30'000);
  Fetcher fetcher(with);
  std::size_t stalled = fetcher.submit({.url = server.url(kPath)});
  std::size_t waiting = fetcher.submit({.url = server.url("/busy")});
  while (server.log().size() < 2) std::this_thread::sleep_for(milliseconds(1));
  Clock::time_point start = Clock::now();
  source.request_stop();
  Completion end = fetcher.wait(stalled);
  EXPECT_EQ(kind_of(end), ErrorKind::interrupted);
  EXPECT_EQ(failure_of(end), "stopped before '" + server.url(kPath) + "' was downloaded");
  EXPECT_EQ(kind_of(fetcher.wait(waiting)), ErrorKind::interrupted);
  EXPECT_EQ(kind_of(fetcher.wait(fetcher.submit({.url = server.url(kPath)}))), ErrorKind::interrupted);
  EXPECT_LT(Clock::now() - start, kAtOnce);
}

TEST_F(FetcherFaultTest, DestructionDoesNotWaitForTransfers) {
  server.put(kPath, "body");
  server.script(kPath, {{.stall = milliseconds(20'000)}});
  Clock::time_point start;
  {
    Fetcher fetcher(options());
    fetcher.submit({.url = server.url(kPath)});
    while (server.log().empty()) std::this_thread::sleep_for(milliseconds(1));
    start = Clock::now();
  }
  EXPECT_LT(Clock::now() - start, kAtOnce);
}

}  // namespace
}  // namespace debroot::fetch
