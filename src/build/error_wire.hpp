/// Errors as bytes, so that one raised in the builder is the same Error outside.
#pragma once

#include <string>
#include <string_view>

#include "debroot/error.hpp"

namespace debroot::build {

[[nodiscard]] std::string error_to_bytes(const Error &error);
[[nodiscard]] Error error_from_bytes(std::string_view bytes);

}  // namespace debroot::build
