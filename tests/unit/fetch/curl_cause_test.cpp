#include "fetch/curl_cause.hpp"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace debroot::fetch {
namespace {

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
