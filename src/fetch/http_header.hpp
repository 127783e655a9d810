/// Reads the few response headers that fetch/ acts on. Pure.
#pragma once

#include <string_view>

#include "fetch/curl.hpp"

namespace debroot::fetch {

/// Takes one line as it came, line end included. A status line begins a new answer (after a redirect or an interim
/// 1xx), so it forgets what was read before it. Lines that mean nothing to us, or make no sense, are passed over.
void read_header_line(std::string_view line, HttpHead &head);

}  // namespace debroot::fetch
