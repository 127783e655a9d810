/// What an image holds, read from a tar (in any compression) or a directory into the same plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/xattr.hpp"

namespace debroot::diff {

enum class EntryType {
  file,
  directory,
  symbolic_link,
  character_device,
  block_device,
  fifo,
  socket,
  hard_link,  ///< one whose other name is not in the image; all others are what they share
  unknown,
};

/// One path of an image.
struct Entry {
  std::string path;  ///< "./etc/passwd", "." for the root, however the image spells it
  EntryType type = EntryType::unknown;
  std::uint32_t mode = 0;  ///< permission bits (07777)
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t mtime_seconds = 0;
  std::int64_t mtime_nanoseconds = 0;
  std::string link_target;
  std::uint64_t device_major = 0;
  std::uint64_t device_minor = 0;
  std::vector<base::ExtendedAttribute> attributes;  ///< sorted by name; ACL records of a tar as "acl"
  std::uint64_t size_bytes = 0;                     ///< of files
  std::string sha256;                               ///< of files
  std::optional<std::string> text;  ///< content of a file that is text and not large, to tell where two differ
  std::vector<std::string> names;   ///< every path of a file that has several, sorted; else empty
};

struct Image {
  std::string name;                   ///< as given
  bool has_order = false;             ///< true for tars
  std::vector<Entry> entries;         ///< in the order of the tar; of a directory, sorted
  std::vector<std::string> repeated;  ///< paths that a tar holds more than once; `entries` has the last of each
};

/// Reads the whole image at `path`. A directory is read without following links and without entering what is mounted
/// in it; a tar is never unpacked. @throws Error of kind usage when it cannot be read, is no image, or ends early
[[nodiscard]] Image read_image(const std::string &path);

}  // namespace debroot::diff
