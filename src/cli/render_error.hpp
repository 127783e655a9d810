/// How an Error looks on a screen and to programs. The one place that knows the form.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "debroot/error.hpp"

namespace debroot::cli {

/// Exit statuses of debroot.
constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130;

[[nodiscard]] int exit_status(ErrorKind kind) noexcept;

/// "usage", "network", … as JSON carries it.
[[nodiscard]] std::string_view kind_name(ErrorKind kind) noexcept;

/// `debroot: error: MESSAGE`, the tree, then `  label: value` lines in the order while, from, expected, got, needed by,
/// output, any other, try; each line ends. Errors of kind internal say that they are debroot's own mistake.
[[nodiscard]] std::string render_error(const Error &error, bool uses_colour);

/// `E: MESSAGE`, as mmdebstrap writes it, and the same lines below.
[[nodiscard]] std::string render_error_as_mmdebstrap(const Error &error);

/// The same as one object: kind, message, while[], tree, details[{label,value}], try. Empty parts are left out.
[[nodiscard]] nlohmann::ordered_json error_json(const Error &error);

/// The exception being handled as an Error: one of debroot's own as it is, any other as kind internal.
[[nodiscard]] Error current_error();

}  // namespace debroot::cli
