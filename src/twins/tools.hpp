/// The tools that have native twins, and those that must not have one.
///
/// A tool is on the list only while a test shows that the tree it helps to make is the same, byte by byte, as the one
/// that its emulated self makes (tests/network/native_twins.py). Whoever adds one runs that test.
#pragma once

#include <string_view>

namespace debroot::twins {

/// Whether the package called `name` has programs that may run natively.
[[nodiscard]] bool has_tools(std::string_view name) noexcept;

/// Whether the program at `path` ("/usr/bin/sort") of package `name` in this version may run natively.
[[nodiscard]] bool is_tool(std::string_view name, std::string_view version, std::string_view path) noexcept;

/// For a program of which only some calls may run natively: shell commands that succeed when the call with the
/// arguments
/// "$@" is one of the others. Empty for a program that is a tool as a whole, or none.
[[nodiscard]] std::string_view emulated_calls(std::string_view name, std::string_view path) noexcept;

/// Whether `name` is a package of libraries that perl loads: without twins of all of them, perl is no tool.
[[nodiscard]] bool is_perl_library(std::string_view name) noexcept;

/// The package with the interpreter that those belong to.
inline constexpr std::string_view kPerlPackage = "perl-base";

}  // namespace debroot::twins
