/// The few things fetch/ must know about a URL itself; everything else is libcurl's business. Pure.
#pragma once

#include <string>
#include <string_view>

namespace debroot::fetch {

/// Lower-case scheme: "http", "file"; empty when there is none.
[[nodiscard]] std::string url_scheme(std::string_view url);

/// What transfers to one server have in common, credentials left out: "http://deb.debian.org".
[[nodiscard]] std::string url_server(std::string_view url);

/// The path that a file or copy URL names, with %XX decoded. apt's short form `file:/path` and `file://localhost/path`
/// are accepted too. Empty when it names no absolute path or holds a NUL.
[[nodiscard]] std::string url_local_path(std::string_view url);

}  // namespace debroot::fetch
