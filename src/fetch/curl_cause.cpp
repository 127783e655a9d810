#include "fetch/curl_cause.hpp"

#include <curl/curl.h>

#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::fetch {

namespace {

/// libcurl says how long a connection attempt took; without it the same failure reads the same every time.
std::string without_times(std::string_view text) {
  std::string out(base::trim(text));
  constexpr std::string_view kAfter = " after ";
  std::size_t from = out.find(kAfter);
  if (from == std::string::npos) return out;
  std::size_t number = from + kAfter.size();
  std::size_t unit = out.find_first_not_of("0123456789", number);
  if (unit == number || unit == std::string::npos || out.compare(unit, 3, " ms") != 0) return out;
  out.erase(from, unit + 3 - from);
  return out;
}

std::string connect_cause(int os_errno) {
  if (os_errno == 0) return "no connection";
  std::string text = base::os_error(ErrorKind::network, os_errno, {}).message();
  return text.substr(text.find(": ") + 2);
}

}  // namespace

CurlCause explain_curl(int code, int os_errno, std::string_view text) {
  std::string remark = without_times(text);
  // a proxy that libcurl cannot parse is quoted with its password
  if (remark.find('@') != std::string::npos) remark.clear();
  switch (static_cast<CURLcode>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Failure::dns, "host not found", remark};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Failure::dns, "proxy not found", remark};
    case CURLE_COULDNT_CONNECT:
      return {Failure::connect, connect_cause(os_errno), remark};
    case CURLE_SSL_CONNECT_ERROR:
      return {Failure::connect, "no TLS connection", remark};
    case CURLE_OPERATION_TIMEDOUT:
      return {Failure::timeout, "timed out", remark};
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return {Failure::lost, "connection lost", {}};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {Failure::tls, "the server's certificate is not trusted", remark};
    case CURLE_SSL_CACERT_BADFILE:
      return {Failure::tls, "this host's certificate authorities cannot be read (package ca-certificates)", remark};
    case CURLE_TOO_MANY_REDIRECTS:
      return {Failure::other, "too many redirects", {}};
    case CURLE_URL_MALFORMAT:
      return {Failure::other, "not a URL", {}};
    default: {
      std::string cause = curl_easy_strerror(static_cast<CURLcode>(code));
      if (!cause.empty() && cause[0] >= 'A' && cause[0] <= 'Z') cause[0] = static_cast<char>(cause[0] - 'A' + 'a');
      return {Failure::other, std::move(cause), remark};
    }
  }
}

}  // namespace debroot::fetch
