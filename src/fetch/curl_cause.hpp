/// Turns libcurl's result codes into kinds of failure and ends of sentences.
#pragma once

#include <string>
#include <string_view>

#include "fetch/retry.hpp"

namespace debroot::fetch {

/// What a libcurl error means to us.
struct CurlCause {
  Failure failure = Failure::other;
  std::string cause;   ///< end of a sentence, for example "connection refused"
  std::string remark;  ///< libcurl's own words where they add something, without times that differ between runs
};

/// @param code a CURLcode, not CURLE_OK @param os_errno CURLINFO_OS_ERRNO or 0 @param text CURLOPT_ERRORBUFFER
[[nodiscard]] CurlCause explain_curl(int code, int os_errno, std::string_view text);

}  // namespace debroot::fetch
