#include "fetch/messages.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace debroot::fetch {

namespace {

std::string shown(const Request &request) { return base::without_credentials(request.url); }

Error with_purpose(Error error, const Request &request) {
  if (!request.purpose.empty()) error.detail("from", request.purpose);
  return error;
}

void tell_attempts(Error &error, int attempts) {
  if (attempts > 1) error.detail("got", fmt::format("{} failed attempts", attempts));
}

}  // namespace

Error download_error(const Request &request, std::string_view cause, std::string_view remark, int attempts) {
  Error error =
      with_purpose({ErrorKind::network, fmt::format("cannot download '{}': {}", shown(request), cause)}, request);
  if (!remark.empty()) error.detail("got", std::string(remark));
  tell_attempts(error, attempts);
  return error;
}

Error read_error(const Request &request, std::string_view cause) {
  return with_purpose({ErrorKind::network, fmt::format("cannot read '{}': {}", shown(request), cause)}, request);
}

Error digest_error(const Request &request, const std::string &got, int attempts) {
  Error error =
      with_purpose({ErrorKind::trust, fmt::format("cannot trust '{}': wrong SHA-256", shown(request))}, request);
  error.detail("expected", request.sha256.value_or("")).detail("got", got);
  tell_attempts(error, attempts);
  return error;
}

Error offline_error(const Request &request) {
  std::string sentence = fmt::format("cannot take '{}' from the cache: it is not there", shown(request));
  return with_purpose({ErrorKind::network, std::move(sentence)}, request).hint("run once without --offline");
}

Error scheme_error(const Request &request, std::string_view scheme) {
  std::string sentence =
      scheme.empty() ? fmt::format("cannot download '{}': not a URL", shown(request))
                     : fmt::format("cannot download '{}': scheme '{}' is not supported", shown(request), scheme);
  return with_purpose({ErrorKind::usage, std::move(sentence)}, request).detail("expected", "http, https, file or copy");
}

Error malformed_digest_error(const Request &request) {
  return with_purpose({ErrorKind::index, fmt::format("cannot look for '{}': '{}' is not a SHA-256", shown(request),
                                                     request.sha256.value_or(""))},
                      request);
}

Error stop_error(const Request &request) {
  return {ErrorKind::interrupted, fmt::format("stopped before '{}' was downloaded", shown(request))};
}

}  // namespace debroot::fetch
