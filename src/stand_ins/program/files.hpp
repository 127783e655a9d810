/// The file system as shell and perl ask about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::stand_ins {

/// Whether there is anything at `path`, be it a link that leads nowhere. What cannot be told counts as there.
[[nodiscard]] bool is_there(const std::string &path) noexcept;
/// `-e`, `-f`, `-d`: links followed.
[[nodiscard]] bool exists(const std::string &path) noexcept;
[[nodiscard]] bool is_file(const std::string &path) noexcept;
[[nodiscard]] bool is_directory(const std::string &path) noexcept;
/// `-l`
[[nodiscard]] bool is_link(const std::string &path) noexcept;
/// `-x`
[[nodiscard]] bool is_executable(const std::string &path) noexcept;

/// Whole content of a regular file; nothing when it cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string &path);

/// The names of what is in a directory, in no order; nothing when it cannot be told.
[[nodiscard]] std::optional<std::vector<std::string>> names_in(const std::string &path);

/// Pieces between newlines, without the empty one behind the last.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// What perl's \s matches in bytes.
[[nodiscard]] bool is_space(char c) noexcept;
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);

/// The directory that `path` is in.
[[nodiscard]] std::string directory_of(const std::string &path);

/// mkdir -p with the umask's modes; false when one cannot be made.
bool make_directories(const std::string &path);

/// Puts a file of mode 0644 with this content in the place of `path`; false when that failed.
bool replace_file(const std::string &path, std::string_view content);

/// Makes an empty file with the umask's mode unless there is a file; false when that failed.
bool touch_file(const std::string &path);

}  // namespace debroot::stand_ins
