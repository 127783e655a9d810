/// Other programs that a stand-in starts, as its tool would.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::stand_ins {

/// What becomes of a program's standard output.
enum class Words { passed_on, discarded };

/// Runs a program, found in PATH, to its end. Its status as wait(2) tells it; nothing when it could not be started.
[[nodiscard]] std::optional<int> run_program(const std::vector<std::string> &arguments, Words words = Words::passed_on);

/// Writes to standard output or standard error; who reads there may be gone.
void print(std::string_view text);
void complain(std::string_view text);

}  // namespace debroot::stand_ins
