/// Reads images, so that tests can say what is in them. Shares no code with `debroot diff`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace debroot::e2e {

/// One entry of an image, as far as an image promises it.
struct ImageEntry {
  char type = '?';  ///< '-' file, 'd' directory, 'l' symlink, 'h' hard link, 'p' fifo, 'c' or 'b' device
  unsigned mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;
  std::string target;  ///< of a link; "major:minor" of a device
  std::string content;
  std::map<std::string, std::string> xattrs;
};

/// Entries by path: "/" for the root, else "/usr/bin/x".
using Image = std::map<std::string, ImageEntry>;

/// @param bytes a tar, in any compression
[[nodiscard]] Image read_tar(const std::string &bytes);
[[nodiscard]] Image read_directory(const std::string &path);

/// One line an entry, "-0755 0:0 @123 /bin/sh" with a digest of what is in it: what tests compare, and what they print
/// when it differs. Without `with_contents`, less: "- /bin/sh".
[[nodiscard]] std::string listing(const Image &image);
/// Lines that only one of two listings has, marked by '-' and '+'; empty if they are equal.
[[nodiscard]] std::string difference(const std::string &left, const std::string &right);

/// The bytes without their compression.
[[nodiscard]] std::string decompressed(const std::string &bytes);

/// Writes the entries below `directory`: what a test needs to look at an image with other programs.
void unpack_tar(const std::string &bytes, const std::string &directory);

}  // namespace debroot::e2e
