/// The errors that a request can end with, worded in one place.
#pragma once

#include <string>
#include <string_view>

#include "debroot/error.hpp"
#include "fetch/request.hpp"
#include "fetch/retry.hpp"

namespace debroot::fetch {

/// "cannot download 'URL': CAUSE". @param attempts how often it was tried; told when more than once
[[nodiscard]] Error download_error(const Request &request, std::string_view cause, std::string_view remark,
                                   int attempts);

/// "cannot read 'URL': CAUSE", for local files.
[[nodiscard]] Error read_error(const Request &request, std::string_view cause);

/// "cannot trust 'URL': wrong SHA-256", of kind trust, with both digests.
[[nodiscard]] Error digest_error(const Request &request, const std::string &got, int attempts);

/// "cannot take 'URL' from the cache: it is not there".
[[nodiscard]] Error offline_error(const Request &request);

/// "cannot download 'URL': scheme 'cdrom' is not supported".
[[nodiscard]] Error scheme_error(const Request &request, std::string_view scheme);

/// "cannot look for 'URL': 'xyz' is not a SHA-256".
[[nodiscard]] Error malformed_digest_error(const Request &request);

/// "stopped before 'URL' was downloaded", of kind interrupted.
[[nodiscard]] Error stop_error(const Request &request);

}  // namespace debroot::fetch
