/// The tools that stand-ins may take the place of: only files whose bytes are known.
///
/// A version is on the list only while tests/differential/stand_ins.py shows that the stand-in does what that version
/// does. Whoever adds one runs that test against it.
#pragma once

#include <span>
#include <string_view>

#include "stand_ins/dialect.hpp"

namespace debroot::stand_ins {

struct KnownTool {
  std::string_view path;     ///< in an image
  std::string_view package;  ///< with the version that brings it: "dpkg 1.20.13"
  std::string_view sha256;   ///< of the file, in hexadecimal
  Dialect dialect;           ///< unset where all versions do the same
};

[[nodiscard]] std::span<const KnownTool> known_tools() noexcept;

/// The tool at `path` with this digest; null when it is not known.
[[nodiscard]] const KnownTool *find_known_tool(std::string_view path, std::string_view sha256) noexcept;

/// Paths of all tools, each once.
[[nodiscard]] std::span<const std::string_view> tool_paths() noexcept;

}  // namespace debroot::stand_ins
