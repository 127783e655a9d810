#include "fetch/fetcher.hpp"

#include <poll.h>

#include <set>
#include <thread>

#include "debroot/version.hpp"
#include "unit/fetch/fetch_fixture.hpp"

namespace debroot::fetch {
namespace {

using std::chrono::milliseconds;
using testing::IsEmpty;

class FetcherTest : public FetchTest {};

bool is_readable(int fd, int timeout_ms) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

std::size_t thread_count() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator{}));
}

TEST_F(FetcherTest, GetsAFile) {
  std::string body = body_of(200'000);
  Fetched fetched = require(get(options(), serve("/pool/a.deb", body)));
  EXPECT_EQ(text_of(fetched), body);
  EXPECT_EQ(fetched.size_bytes, body.size());
  EXPECT_EQ(fetched.network_bytes, body.size());
  EXPECT_FALSE(fetched.is_from_cache);
  EXPECT_EQ(server.log().at(0).header("user-agent"), std::string("debroot/") + kVersion);
  EXPECT_EQ(server.log().at(0).header("range"), "");
}

TEST_F(FetcherTest, GetsAnEmptyFile) { EXPECT_EQ(text_of(require(get(options(), serve("/empty", "")))), ""); }

TEST_F(FetcherTest, StartsNoThreadBeforeTheFirstRequest) {
  std::size_t before = thread_count();
  Fetcher fetcher(options());
  EXPECT_EQ(thread_count(), before);
  Request request = serve("/a", "a");
  EXPECT_EQ(text_of(require(fetcher.wait(fetcher.submit(request)))), "a");
}

TEST_F(FetcherTest, RunsSeveralTransfersAtATimeButNoMoreThanAllowed) {
  server.set_latency(milliseconds(20));
  FetchOptions with = options();
  with.parallel = 4;
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(serve("/pool/" + std::to_string(i), body_of(3000, 7 + i)));
  Fetcher fetcher(with);
  std::vector<Completion> ends = fetcher.fetch_all(std::move(requests));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ends.at(i).ticket, static_cast<std::size_t>(i));
    EXPECT_EQ(text_of(require(std::move(ends.at(i)))), body_of(3000, 7 + i));
  }
  EXPECT_EQ(server.most_at_once(), 4U);
  EXPECT_LE(server.connections(), 4U);
  EXPECT_EQ(fetcher.totals().network_bytes, 60'000U);
  EXPECT_EQ(fetcher.totals().completions, 20U);
}

TEST_F(FetcherTest, CompletionsAreToldByADescriptor) {
  Fetcher fetcher(options());
  EXPECT_FALSE(is_readable(fetcher.completion_fd(), 0));
  EXPECT_FALSE(fetcher.take_completion());
  std::set<std::size_t> tickets{fetcher.submit(serve("/a", "a")), fetcher.submit(serve("/b", "b"))};
  std::set<std::size_t> taken;
  while (taken.size() < 2) {
    ASSERT_TRUE(is_readable(fetcher.completion_fd(), 5000));
    auto end = fetcher.take_completion();
    ASSERT_TRUE(end);
    taken.insert(end->ticket);
  }
  EXPECT_EQ(taken, tickets);
  EXPECT_FALSE(is_readable(fetcher.completion_fd(), 0));
}

TEST_F(FetcherTest, WaitTakesTheOneAskedForAndLeavesTheOthers) {
  Fetcher fetcher(options());
  std::size_t first = fetcher.submit(serve("/a", "a"));
  std::size_t second = fetcher.submit(serve("/b", "b"));
  EXPECT_EQ(fetcher.wait(second).ticket, second);
  EXPECT_EQ(fetcher.wait().ticket, first);
}

TEST_F(FetcherTest, WaitingForNothingIsAMistake) {
  Fetcher fetcher(options());
  try {
    static_cast<void>(fetcher.wait());
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.kind(), ErrorKind::internal);
    EXPECT_EQ(error.message(), "waited for a download that was not asked for");
  }
  EXPECT_THROW(static_cast<void>(fetcher.wait(17)), Error);
}

TEST_F(FetcherTest, RequireRefusesAMissingFile) {
  try {
    static_cast<void>(require({0, Missing{}}));
    FAIL() << "no error";
  } catch (const Error &error) {
    EXPECT_EQ(error.message(), "a file that must not be missing is missing");
  }
}

TEST_F(FetcherTest, FollowsRedirects) {
  server.put("/real", "there");
  server.handle("/moved", [](const test::ServedRequest &) {
    return test::ServedResponse{302, "elsewhere\n", {"Location: /real"}};
  });
  EXPECT_EQ(text_of(require(get(options(), {.url = server.url("/moved")}))), "there");
}

TEST_F(FetcherTest, RedirectsToOtherSchemesAreRefused) {
  server.handle("/moved", [](const test::ServedRequest &) {
    return test::ServedResponse{302, {}, {"Location: file:///etc/passwd"}};
  });
  EXPECT_THAT(failure_of(get(options(), {.url = server.url("/moved")})),
              testing::StartsWith("cannot download '" + server.url("/moved") + "': unsupported protocol"));
}

TEST_F(FetcherTest, EndlessRedirectsEnd) {
  server.handle("/moved", [](const test::ServedRequest &) {
    return test::ServedResponse{302, {}, {"Location: /moved"}};
  });
  EXPECT_EQ(failure_of(get(options(), {.url = server.url("/moved")})),
            "cannot download '" + server.url("/moved") + "': too many redirects");
}

TEST_F(FetcherTest, CredentialsAreSentAndNeverShown) {
  std::string at = "127.0.0.1:" + std::to_string(server.port());
  Completion end = get(options(), {.url = "http://me:secret@" + at + "/absent"});
  EXPECT_EQ(server.log().at(0).header("authorization"), "Basic bWU6c2VjcmV0");
  EXPECT_EQ(failure_of(end), "cannot download 'http://" + at + "/absent': HTTP error 404");
}

TEST_F(FetcherTest, MissingFileIsAnErrorThatSaysWhoListsIt) {
  Completion end = get(options(), {.url = server.url("/pool/x.deb"),
                                   .sha256 = sha256_of("x"),
                                   .size_bytes = 1,
                                   .purpose = "http://security.debian.org bullseye-security/main (arm64)"});
  EXPECT_EQ(kind_of(end), ErrorKind::network);
  EXPECT_EQ(failure_of(end), "cannot download '" + server.url("/pool/x.deb") +
                                 "': HTTP error 404\nfrom: http://security.debian.org bullseye-security/main (arm64)");
  EXPECT_EQ(server.requests("/pool/x.deb"), 1U);
}

TEST_F(FetcherTest, MissingFileMayBeAnOrdinaryResult) {
  Completion end = get(options(), {.url = server.url("/InRelease"), .may_be_missing = true, .is_release = true});
  EXPECT_TRUE(std::holds_alternative<Missing>(end.outcome));
  server.script("/gone", {{.status = 410}});
  end = get(options(), {.url = server.url("/gone"), .may_be_missing = true});
  EXPECT_TRUE(std::holds_alternative<Missing>(end.outcome));
  server.script("/forbidden", {{.status = 403}});
  EXPECT_EQ(failure_of(get(options(), {.url = server.url("/forbidden"), .may_be_missing = true})),
            "cannot download '" + server.url("/forbidden") + "': HTTP error 403");
}

TEST_F(FetcherTest, OtherSchemesAreNamed) {
  Completion end = get(options(), {.url = "cdrom:[Debian]/dists"});
  EXPECT_EQ(kind_of(end), ErrorKind::usage);
  EXPECT_EQ(
      failure_of(end),
      "cannot download 'cdrom:[Debian]/dists': scheme 'cdrom' is not supported\nexpected: http, https, file or copy");
  EXPECT_EQ(failure_of(get(options(), {.url = "deb.debian.org/debian"})),
            "cannot download 'deb.debian.org/debian': not a URL\nexpected: http, https, file or copy");
}

TEST_F(FetcherTest, DigestsThatAreNoneNeverBecomePaths) {
  Completion end = get(options(), {.url = server.url("/a"), .sha256 = "../../etc/passwd", .purpose = "an index"});
  EXPECT_EQ(kind_of(end), ErrorKind::index);
  EXPECT_EQ(failure_of(end),
            "cannot look for '" + server.url("/a") + "': '../../etc/passwd' is not a SHA-256\nfrom: an index");
  EXPECT_THAT(server.log(), IsEmpty());
}

TEST_F(FetcherTest, UpperCaseDigestsFit) {
  Request request = serve("/a", "a");
  for (char &c : *request.sha256) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  EXPECT_EQ(text_of(require(get(options(), request))), "a");
  EXPECT_TRUE(std::filesystem::exists(cached_path("a")));
}

TEST_F(FetcherTest, ProxyOfTheEnvironmentIsUsed) {
  test::FakeServer proxy;
  proxy.put("/debian/a", "by proxy");
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  EXPECT_EQ(text_of(require(get(options(), {.url = "http://archive.invalid/debian/a"}))), "by proxy");
  EXPECT_EQ(proxy.log().at(0).target, "http://archive.invalid/debian/a");
}

TEST_F(FetcherTest, NoProxyOfTheEnvironmentHolds) {
  test::FakeServer proxy;
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("no_proxy", "localhost,127.0.0.1", 1);
  EXPECT_EQ(text_of(require(get(options(), serve("/a", "direct")))), "direct");
  EXPECT_EQ(proxy.connections(), 0U);
}

TEST_F(FetcherTest, ProxyOptionGoesBeforeTheEnvironment) {
  test::FakeServer proxy;
  proxy.put("/a", "by proxy");
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  FetchOptions with = options();
  with.proxies.http = proxy.url();
  EXPECT_EQ(text_of(require(get(with, {.url = "http://archive.invalid/a"}))), "by proxy");
  with.proxies.http = "DIRECT";
  EXPECT_EQ(text_of(require(get(with, serve("/a", "direct")))), "direct");
}

TEST_F(FetcherTest, ProxyThatRefusesATunnelIsNamed) {
  FetchOptions with = options();
  with.proxies.http = server.url();
  EXPECT_EQ(failure_of(get(with, {.url = "https://archive.invalid/a"})),
            "cannot download 'https://archive.invalid/a': the proxy answers with HTTP error 404");
}

TEST_F(FetcherTest, LocalFileIsOpenedWhereItLies) {
  write_file(scratch + "/a b", "local");
  Fetched fetched =
      require(get(options_offline(), {.url = "file://" + scratch + "/a%20b", .sha256 = sha256_of("local")}));
  EXPECT_EQ(text_of(fetched), "local");
  EXPECT_TRUE(fetched.is_from_cache);
  EXPECT_EQ(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fetched.file.unchecked().get())),
            scratch + "/a b");
  EXPECT_EQ(text_of(require(get(options(), {.url = "copy:" + scratch + "/a b", .size_bytes = 5}))), "local");
}

TEST_F(FetcherTest, LocalFileMayBeMissing) {
  Request request{.url = "file://" + scratch + "/absent/InRelease", .may_be_missing = true};
  EXPECT_TRUE(std::holds_alternative<Missing>(get(options(), request).outcome));
  request.may_be_missing = false;
  request.purpose = "a local archive";
  EXPECT_EQ(failure_of(get(options(), request)),
            "cannot read '" + request.url + "': no such file or directory\nfrom: a local archive");
}

TEST_F(FetcherTest, LocalFilesAreHeldToTheSameLimits) {
  write_file(scratch + "/a", "12345");
  std::string url = "file:" + scratch + "/a";
  EXPECT_EQ(failure_of(get(options(), {.url = url, .size_bytes = 4})),
            "cannot read '" + url + "': larger than 4 bytes");
  EXPECT_EQ(failure_of(get(options(), {.url = url, .size_bytes = 6})),
            "cannot read '" + url + "': ended after 5 of 6 bytes");
  EXPECT_EQ(failure_of(get(options(), {.url = url, .limit_bytes = 4})),
            "cannot read '" + url + "': larger than 4 bytes");
  Completion end = get(options(), {.url = url, .sha256 = sha256_of("x")});
  EXPECT_EQ(kind_of(end), ErrorKind::trust);
  EXPECT_EQ(failure_of(end),
            "cannot trust '" + url + "': wrong SHA-256\nexpected: " + sha256_of("x") + "\ngot: " + sha256_of("12345"));
  EXPECT_EQ(failure_of(get(options(), {.url = "file://" + scratch})),
            "cannot read 'file://" + scratch + "': not a regular file");
  EXPECT_EQ(failure_of(get(options(), {.url = "file:debian"})), "cannot read 'file:debian': not an absolute path");
}

}  // namespace
}  // namespace debroot::fetch
