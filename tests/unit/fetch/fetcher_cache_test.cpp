#include <thread>

#include "fetch/cache.hpp"
#include "fetch/fetcher.hpp"
#include "unit/fetch/fetch_fixture.hpp"

namespace debroot::fetch {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

class FetcherCacheTest : public FetchTest {
 protected:
  [[nodiscard]] Request release() const { return {.url = server.url("/InRelease"), .is_release = true}; }
};

TEST_F(FetcherCacheTest, SecondRunNeedsNoNetwork) {
  std::string body = body_of(5000);
  Request request = serve("/a", body);
  EXPECT_EQ(text_of(require(get(options(), request))), body);
  Fetcher fetcher(options());
  Fetched again = require(fetcher.wait(fetcher.submit(request)));
  EXPECT_EQ(text_of(again), body);
  EXPECT_TRUE(again.is_from_cache);
  EXPECT_EQ(again.network_bytes, 0U);
  EXPECT_EQ(fetcher.totals().cache_bytes, body.size());
  EXPECT_EQ(server.requests("/a"), 1U);
}

TEST_F(FetcherCacheTest, CorruptFileIsFetchedAgain) {
  std::string body = body_of(5000);
  Request request = serve("/a", body);
  write_file(cached_path(body), body_of(5000, 99));
  Fetched fetched = require(get(options(), request));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_FALSE(fetched.is_from_cache);
  EXPECT_EQ(base::read_file(cached_path(body)), body);
}

TEST_F(FetcherCacheTest, DigestThatFitsWithASizeThatDoesNotIsRefused) {
  Request request = serve("/a", "body");
  EXPECT_EQ(text_of(require(get(options(), request))), "body");
  request.size_bytes = 3;
  EXPECT_EQ(failure_of(get(options(), request)),
            "cannot download '" + request.url + "': larger than 3 bytes\ngot: 3 failed attempts");
}

TEST_F(FetcherCacheTest, FilesWithoutADigestAreNotKept) {
  server.put("/a", "body");
  EXPECT_EQ(text_of(require(get(options(), {.url = server.url("/a")}))), "body");
  EXPECT_THAT(names_in(scratch + "/cache/files/sha256"), IsEmpty());
  EXPECT_THAT(names_in(scratch + "/cache/releases"), IsEmpty());
}

TEST_F(FetcherCacheTest, WithoutCacheNothingStays) {
  Request request = serve("/a", "body");
  EXPECT_EQ(text_of(require(get(options_without_cache(), request))), "body");
  server.put("/InRelease", "release");
  EXPECT_EQ(text_of(require(get(options_without_cache(), release()))), "release");
  EXPECT_THAT(names_in(scratch), IsEmpty());
}

TEST_F(FetcherCacheTest, TwoFetchersShareOneDownload) {
  std::string body = body_of(50'000);
  Request request = serve("/a", body);
  server.script("/a", {{.stall = milliseconds(100)}, {.stall = milliseconds(100)}});
  Fetcher first(options());
  Fetcher second(options());
  std::size_t a = first.submit(request);
  std::size_t b = second.submit(request);
  EXPECT_EQ(text_of(require(first.wait(a))), body);
  EXPECT_EQ(text_of(require(second.wait(b))), body);
  EXPECT_EQ(server.requests("/a"), 1U);
  EXPECT_THAT(names_in(scratch + "/cache/partial"), IsEmpty());
}

TEST_F(FetcherCacheTest, FileThatSomebodyElseHoldsForTooLongIsFetchedBesideIt) {
  std::string body = body_of(50'000);
  Request request = serve("/a", body);
  FetchOptions with = options();
  with.lock_patience = milliseconds(100);
  Cache cache(with.cache, scratch);
  auto holder = cache.try_lock_partial(*request.sha256);
  ASSERT_TRUE(holder);
  EXPECT_EQ(text_of(require(get(with, request))), body);
  EXPECT_EQ(base::read_file(cached_path(body)), body);
  // the one who held it finishes late, which changes nothing
  base::write_all(holder->fd().get(), body);
  EXPECT_EQ(base::read_all(cache.publish(std::move(*holder), *request.sha256).get()), body);
}

TEST_F(FetcherCacheTest, ManyFetchersAtOnceNeverCorruptTheCache) {
  std::vector<Request> requests;
  for (unsigned i = 0; i < 12; ++i) requests.push_back(serve("/" + std::to_string(i), body_of(30'000, 3 + i)));
  for (unsigned i = 0; i < 12; i += 2)
    server.script("/" + std::to_string(i), {{.close_after = 20'000}, {.status = 503}});
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      Fetcher fetcher(options());
      std::vector<Completion> ends = fetcher.fetch_all(requests);
      for (unsigned i = 0; i < 12; ++i)
        good += text_of(require(std::move(ends.at(i)))) == body_of(30'000, 3 + i) ? 1 : 0;
    });
  }
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(good, 36);
  for (unsigned i = 0; i < 12; ++i) {
    std::string body = body_of(30'000, 3 + i);
    EXPECT_EQ(base::read_file(cached_path(body)), body);
  }
}

TEST_F(FetcherCacheTest, OneFetcherMayAskTwiceForTheSameFile) {
  std::string body = body_of(30'000);
  Request request = serve("/a", body);
  server.set_latency(milliseconds(30));
  Fetcher fetcher(options());
  std::vector<Completion> ends = fetcher.fetch_all({request, request});
  EXPECT_EQ(text_of(require(std::move(ends.at(0)))), body);
  EXPECT_EQ(text_of(require(std::move(ends.at(1)))), body);
  EXPECT_EQ(server.requests("/a"), 1U);
}

TEST_F(FetcherCacheTest, OfflineTakesWhatIsThere) {
  Request request = serve("/a", "body");
  server.put("/InRelease", "release");
  static_cast<void>(require(get(options(), request)));
  static_cast<void>(require(get(options(), release())));
  std::size_t before = server.log().size();
  EXPECT_EQ(text_of(require(get(options_offline(), request))), "body");
  EXPECT_EQ(text_of(require(get(options_offline(), release()))), "release");
  EXPECT_EQ(server.log().size(), before);
}

TEST_F(FetcherCacheTest, OfflineMissIsAnErrorThatSaysWhatToDo) {
  Request request = serve("/a", "body");
  request.purpose = "an index";
  Completion end = get(options_offline(), request);
  EXPECT_EQ(kind_of(end), ErrorKind::network);
  EXPECT_EQ(failure_of(end), "cannot take '" + request.url +
                                 "' from the cache: it is not there\nfrom: an index\ntry: run once without --offline");
  Request optional = release();
  optional.may_be_missing = true;
  EXPECT_TRUE(std::holds_alternative<Missing>(get(options_offline(), optional).outcome));
  EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(FetcherCacheTest, UnchangedReleaseIsTakenFromTheCache) {
  server.put("/InRelease", "release one");
  EXPECT_FALSE(require(get(options(), release())).is_from_cache);
  Fetched again = require(get(options(), release()));
  EXPECT_TRUE(again.is_from_cache);
  EXPECT_EQ(text_of(again), "release one");
  EXPECT_EQ(again.size_bytes, 11U);
  EXPECT_EQ(again.network_bytes, 0U);
  std::vector<test::ServedRequest> log = server.log();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0].header("if-none-match"), "");
  EXPECT_NE(log[1].header("if-none-match"), "");
  EXPECT_NE(log[1].header("if-modified-since"), "");
  EXPECT_EQ(log[1].header("cache-control"), "max-age=0");
}

TEST_F(FetcherCacheTest, ChangedReleaseReplacesTheOld) {
  server.put("/InRelease", "release one");
  static_cast<void>(require(get(options(), release())));
  server.put("/InRelease", "release two");
  EXPECT_EQ(text_of(require(get(options(), release()))), "release two");
  EXPECT_EQ(text_of(require(get(options_offline(), release()))), "release two");
}

TEST_F(FetcherCacheTest, ReleaseThatWentAwayIsForgotten) {
  server.put("/InRelease", "release one");
  static_cast<void>(require(get(options(), release())));
  server.remove("/InRelease");
  Request request = release();
  request.may_be_missing = true;
  EXPECT_TRUE(std::holds_alternative<Missing>(get(options(), request).outcome));
  EXPECT_THAT(names_in(scratch + "/cache/releases"), IsEmpty());
}

TEST_F(FetcherCacheTest, UnaskedNotModifiedIsAnError) {
  server.script("/InRelease", {{.status = 304}});
  EXPECT_EQ(failure_of(get(options(), release())),
            "cannot download '" + server.url("/InRelease") + "': HTTP error 304");
}

TEST_F(FetcherCacheTest, CacheThatCannotBeWrittenEndsTheFetcherBeforeItBegins) {
  write_file(scratch + "/cache", "not a directory");
  try {
    Fetcher fetcher(options());
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "cannot use the cache directory '" + scratch + "/cache': not a directory");
  }
}

TEST_F(FetcherCacheTest, DownloadThatCannotBeStoredSaysWhatWasDone) {
  FetchOptions with = options_without_cache();
  with.temporary_directory = scratch + "/absent";
  Completion end = get(with, serve("/a", "body"));
  EXPECT_EQ(failure_of(end), "cannot make a temporary file in '" + scratch + "/absent': no such file or directory");
  EXPECT_THAT(std::get<Error>(end.outcome).frames(), ElementsAre("downloading '" + server.url("/a") + "'"));
}

}  // namespace
}  // namespace debroot::fetch
