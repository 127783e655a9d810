/// What is asked of fetch/ and what comes back, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/trust.hpp"
#include "debroot/error.hpp"

namespace debroot::fetch {

/// The ceiling for a body of which neither its size nor a limit is known.
inline constexpr std::uint64_t kDefaultLimitBytes = std::uint64_t{256} << 20;

/// One file to get.
struct Request {
  std::string url;  ///< http, https, file or copy (apt's word for file); credentials are allowed
  std::optional<std::string> sha256 =
      {};                         ///< 64 hexadecimal digits; with it the file is kept in the cache by its content
  std::uint64_t size_bytes = 0;   ///< what the index says; 0: unknown
  std::uint64_t limit_bytes = 0;  ///< never take more than this; 0: `size_bytes`, else kDefaultLimitBytes
  bool may_be_missing = false;    ///< an HTTP 404 or 410, or an absent local file, is an ordinary result
  bool is_release = false;        ///< InRelease, Release, Release.gpg: kept by URL and revalidated each time
  std::string purpose = {};       ///< who lists this file; the `from` line of an error, left out when empty
};

/// The file arrived. Where the request carried a digest it was found to match, which is a matter of picking the right
/// bytes out of caches and mirrors; whether they may be trusted is still for verify/ to say.
struct Fetched {
  base::UntrustedFile file;  ///< open for reading, its offset at 0
  std::uint64_t size_bytes = 0;
  bool is_from_cache = false;       ///< also a release that the server said is unchanged, and local files
  std::uint64_t network_bytes = 0;  ///< body bytes received for it, retries included
};

/// The file does not exist, and the request said that it need not.
struct Missing {};

/// How one request ended.
struct Completion {
  std::size_t ticket = 0;  ///< what `submit` returned
  std::variant<Fetched, Missing, Error> outcome;
};

/// Sums since the Fetcher was made.
struct Transferred {
  std::uint64_t network_bytes = 0;  ///< body bytes received, also of attempts that failed
  std::uint64_t cache_bytes = 0;    ///< sizes of files that came from the cache or a local path
  std::size_t completions = 0;      ///< requests that ended, in whatever way
};

}  // namespace debroot::fetch
