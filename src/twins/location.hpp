/// Makes programs and libraries of the host's architecture look for each other in a place of their own.
///
/// The root of a foreign image has neither the loader of the host's architecture nor a directory for its libraries,
/// and must not get them even for a moment: scripts look at what there is in `/`, and so do mkinitramfs and its kin.
/// So the paths that the linker and the C library's build wrote into a twin are overwritten by paths of the same
/// length, which lead into the scripts' own /dev. No byte moves, so nothing else of the file changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace debroot::twins {

/// Where twins lie as scripts see them: a directory of the runner's own /dev.
inline constexpr std::string_view kDirectoryName = ".debroot";
inline constexpr std::string_view kDirectory = "/dev/.debroot";
/// Below it, all libraries, whichever directory they come from.
inline constexpr std::string_view kLibraries = "lib";
/// Below it, all programs: most scripts meet them where they cover the image's own, some only by their PATH.
inline constexpr std::string_view kPrograms = "bin";
/// Below it, twins that run only for some of a program's calls, and the image's own programs for the others.
inline constexpr std::string_view kPartial = "partial";
inline constexpr std::string_view kOwn = "own";
/// Below it, the loader, by a name short enough for every architecture.
inline constexpr std::string_view kLoader = "ld.so";

/// Directory name that Debian gives to the libraries of an architecture ("x86_64-linux-gnu", its multiarch tuple);
/// nothing for an architecture that has no twins.
[[nodiscard]] std::optional<std::string_view> library_tuple(std::string_view architecture) noexcept;

/// The rest of `path` below `/lib/TUPLE` or `/usr/lib/TUPLE`, without a leading slash; nothing for other paths.
[[nodiscard]] std::optional<std::string_view> below_libraries(std::string_view path, std::string_view tuple) noexcept;

/// Overwrites every path that begins with `/lib/TUPLE` or `/usr/lib/TUPLE`, and the loader's path `interpreter` (which
/// may be empty). @return false, with nothing changed, when one of the new paths is longer than what it replaces
[[nodiscard]] bool relocate(std::string &bytes, std::string_view tuple, std::string_view interpreter);

}  // namespace debroot::twins
