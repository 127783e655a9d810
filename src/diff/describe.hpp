/// Values of entries as people read them.
#pragma once

#include <string>
#include <string_view>

#include "diff/image.hpp"

namespace debroot::diff {

/// Bytes on one line: control characters, quotes' enemies and bytes that are not UTF-8 as \n, \t or \377.
[[nodiscard]] std::string escaped(std::string_view bytes);

/// "file", "symbolic link", …
[[nodiscard]] std::string_view type_name(EntryType type) noexcept;

/// "file, 0644, 0/0, 12 bytes", "symbolic link to 'x', 0777, 0/0".
[[nodiscard]] std::string summary_of(const Entry &entry);

/// "2024-02-29T12:00:00Z", with the fraction if there is one.
[[nodiscard]] std::string time_of(const Entry &entry);

/// "'plain text'", or "0x0100" when not all of it is printable; long values are cut.
[[nodiscard]] std::string value_of(std::string_view attribute);

/// Where two texts differ first: "line 23: 'x' → 'y'", lines cut to a readable length around the difference; a missing
/// line is "end of file". Both must differ.
[[nodiscard]] std::string first_difference(std::string_view a, std::string_view b);

}  // namespace debroot::diff
