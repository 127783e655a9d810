#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "fetch/curl_cause.hpp"
#include "fetch/http_header.hpp"
#include "fetch/url.hpp"

namespace debroot::fetch {
namespace {

TEST(Url, SchemeIsLowerCased) {
  EXPECT_EQ(url_scheme("HTTP://x/y"), "http");
  EXPECT_EQ(url_scheme("file:/srv/debian"), "file");
  EXPECT_EQ(url_scheme("/srv/a:b"), "");
  EXPECT_EQ(url_scheme("debian"), "");
}

TEST(Url, ServerHasNoCredentials) {
  EXPECT_EQ(url_server("http://me:secret@deb.debian.org:80/debian/dists"), "http://deb.debian.org:80");
  EXPECT_EQ(url_server("https://deb.debian.org"), "https://deb.debian.org");
}

TEST(Url, LocalPathInAllItsForms) {
  EXPECT_EQ(url_local_path("file:///srv/debian"), "/srv/debian");
  EXPECT_EQ(url_local_path("file:/srv/debian"), "/srv/debian");
  EXPECT_EQ(url_local_path("file://localhost/srv"), "/srv");
  EXPECT_EQ(url_local_path("copy:/srv/a%20b%2Bc%zz"), "/srv/a b+c%zz");
  EXPECT_EQ(url_local_path("file://elsewhere/srv"), "");
  EXPECT_EQ(url_local_path("file:srv"), "");
  EXPECT_EQ(url_local_path("file:///srv%00/x"), "");
  EXPECT_EQ(url_local_path("file:///srv/100%"), "/srv/100%");
}

TEST(HttpHeader, TakesWhatCounts) {
  HttpHead head;
  for (const char *line :
       {"HTTP/1.1 206 Partial Content\r\n", "ETag: \"abc\"\r\n", "LAST-MODIFIED:  Sat, 01 Jan 2022 \r\n",
        "content-range: bytes 17-99/100\r\n", "Retry-After: 12\r\n", "nonsense\r\n", "\r\n"}) {
    read_header_line(line, head);
  }
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.etag, "\"abc\"");
  EXPECT_EQ(head.last_modified, "Sat, 01 Jan 2022");
  EXPECT_EQ(head.range_start, 17U);
  EXPECT_EQ(head.retry_after, std::chrono::seconds(12));
}

TEST(HttpHeader, StatusLineForgetsTheAnswerBefore) {
  HttpHead head;
  read_header_line("HTTP/1.1 302 Found\r\n", head);
  read_header_line("ETag: \"of-the-redirect\"\r\n", head);
  read_header_line("HTTP/2 200\r\n", head);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.etag, "");
}

TEST(HttpHeader, PassesOverWhatMakesNoSense) {
  HttpHead head;
  for (const char *line :
       {"HTTP/1.1 abc", "Content-Range: bytes */100", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"}) {
    read_header_line(line, head);
  }
  EXPECT_EQ(head.status, 0);
  EXPECT_FALSE(head.range_start);
  EXPECT_FALSE(head.retry_after);
}

struct CauseCase {
  CURLcode code;
  int os_errno;
  Failure failure;
  const char *cause;
};

TEST(CurlCause, EachFailureHasItsKindAndItsWords) {
  const CauseCase cases[] = {
      {CURLE_COULDNT_RESOLVE_HOST, 0, Failure::dns, "host not found"},
      {CURLE_COULDNT_RESOLVE_PROXY, 0, Failure::dns, "proxy not found"},
      {CURLE_COULDNT_CONNECT, ECONNREFUSED, Failure::connect, "connection refused"},
      {CURLE_COULDNT_CONNECT, 0, Failure::connect, "no connection"},
      {CURLE_SSL_CONNECT_ERROR, 0, Failure::connect, "no TLS connection"},
      {CURLE_OPERATION_TIMEDOUT, 0, Failure::timeout, "timed out"},
      {CURLE_PARTIAL_FILE, 0, Failure::lost, "connection lost"},
      {CURLE_GOT_NOTHING, 0, Failure::lost, "connection lost"},
      {CURLE_RECV_ERROR, ECONNRESET, Failure::lost, "connection lost"},
      {CURLE_HTTP2_STREAM, 0, Failure::lost, "connection lost"},
      {CURLE_PEER_FAILED_VERIFICATION, 0, Failure::tls, "the server's certificate is not trusted"},
      {CURLE_SSL_CACERT_BADFILE, 0, Failure::tls,
       "this host's certificate authorities cannot be read (package ca-certificates)"},
      {CURLE_TOO_MANY_REDIRECTS, 0, Failure::other, "too many redirects"},
      {CURLE_URL_MALFORMAT, 0, Failure::other, "not a URL"},
      {CURLE_OUT_OF_MEMORY, 0, Failure::other, "out of memory"},
  };
  for (const CauseCase &c : cases) {
    CurlCause got = explain_curl(c.code, c.os_errno, "");
    EXPECT_EQ(got.failure, c.failure) << c.cause;
    EXPECT_EQ(got.cause, c.cause);
  }
}

TEST(CurlCause, RemarkLosesTimesAndCredentials) {
  EXPECT_EQ(explain_curl(CURLE_COULDNT_CONNECT, ECONNREFUSED,
                         "Failed to connect to 127.0.0.1 port 9 after 12 ms: Couldn't connect to server")
                .remark,
            "Failed to connect to 127.0.0.1 port 9: Couldn't connect to server");
  EXPECT_EQ(explain_curl(CURLE_COULDNT_RESOLVE_PROXY, 0, "Unsupported proxy syntax in 'http://me:secret@x:y'").remark,
            "");
  EXPECT_EQ(explain_curl(CURLE_SSL_CONNECT_ERROR, 0, "alert after handshake").remark, "alert after handshake");
}

}  // namespace
}  // namespace debroot::fetch
