/// apt's two ways of writing sources (sources.list(5)): one-line and deb822, read and written as pure text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "debroot/plan.hpp"

namespace debroot::plan {

enum class SourcesStyle { one_line, deb822, empty };

/// Which style `text` is in, from its first line that is neither blank nor a comment. `name` names it in errors.
/// @throws Error of kind usage when that line begins neither
[[nodiscard]] SourcesStyle guess_style(std::string_view text, std::string_view name);

/// The entries of type deb; `deb-src` entries are checked and left out. `$(ARCH)` becomes `architecture`.
/// @throws Error of kind usage naming `name`:line
[[nodiscard]] std::vector<SourceEntry> parse_sources(SourcesStyle style, std::string_view text, std::string_view name,
                                                     std::string_view architecture);

/// Entries as one-line text, a line each, as mmdebstrap writes its generated sources. URIs are without credentials:
/// the text goes into the image.
[[nodiscard]] std::string one_line_text(const std::vector<SourceEntry> &entries);

/// `text` with user names and passwords taken out of its URIs.
[[nodiscard]] std::string text_without_credentials(std::string_view text);

}  // namespace debroot::plan
