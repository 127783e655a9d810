/// The tools that stand-ins may take the place of: only files whose bytes are known.
///
/// A version is on the list only while tests/differential/stand_ins.py shows that the stand-in does what that version
/// does. Whoever adds one runs that test against it.
#pragma once

#include <span>
#include <string_view>

#include "stand_ins/dialect.hpp"

namespace debroot::stand_ins {

/// Where a tool is in an image.
struct ToolPlace {
  std::string_view path;
  std::string_view companion;  ///< a file that it reads as a part of its own; or empty
};

struct KnownTool {
  std::string_view path;     ///< of its ToolPlace
  std::string_view package;  ///< with the version that brings it: "dpkg 1.20.13"
  std::string_view sha256;   ///< of the file, in hexadecimal
  std::string_view companion_sha256;
  Dialect dialect;  ///< unset where all versions do the same
};

[[nodiscard]] std::span<const ToolPlace> tool_places() noexcept;
[[nodiscard]] std::span<const KnownTool> known_tools() noexcept;

/// The tool at `path` with these digests, that of the companion empty when it has none; null when it is not known.
[[nodiscard]] const KnownTool *find_known_tool(std::string_view path, std::string_view sha256,
                                               std::string_view companion_sha256) noexcept;

/// SHA-256 of a maintainer script of that path that sleeps only so that what is changed after it has a later time than
/// what it wrote, of which nothing asks while an image is made. Empty when none is known.
[[nodiscard]] std::string_view script_that_sleeps_in_vain(std::string_view path) noexcept;

}  // namespace debroot::stand_ins
