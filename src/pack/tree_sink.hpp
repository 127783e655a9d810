/// What every kind of image is fed with: the entries of one walk over the tree.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/xattr.hpp"

namespace debroot::pack {

enum class EntryType { file, hard_link, symbolic_link, character_device, block_device, directory, fifo };

/// One entry of an image.
struct TreeEntry {
  std::string path;  ///< "./etc/passwd"; directories end in '/', the root is "./"
  EntryType type = EntryType::file;
  mode_t mode = 0;  ///< permission bits only (07777)
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size_bytes = 0;    ///< of the content that follows; 0 for all but files
  std::int64_t mtime_seconds = 0;  ///< since 1970
  std::string link_target;         ///< of a symbolic link, or path of the entry that a hard link shares
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  /// Not of the tree but of mmdebstrap's making (device_entries): its header has numbers of devices alone, and what tar
  /// writes begins behind it.
  bool is_handmade = false;
  std::vector<base::ExtendedAttribute> attributes;  ///< written in this order
  /// What the file system says, which may be newer than an image shows; images do not look at it.
  std::int64_t file_seconds = 0;
  std::uint32_t file_nanoseconds = 0;
  ino_t inode = 0;
};

/// `path` of an entry as messages show it: "./etc/" is "/etc".
[[nodiscard]] std::string shown(const std::string &path);

/// Takes the entries of a tree in the order in which a tar has them. Entries come once each; a directory comes before
/// what is in it and a file before the hard links to it, but `./dev/` and its entries may come before `./`. All
/// functions throw Errors of kind output that name the output, and of kind interrupted.
class TreeSink {
 public:
  TreeSink() = default;
  TreeSink(const TreeSink &) = delete;
  TreeSink &operator=(const TreeSink &) = delete;
  virtual ~TreeSink() = default;

  virtual void add(const TreeEntry &entry) = 0;
  /// The next bytes of the file that was added last; all pieces together are its `size_bytes`.
  virtual void add_content(std::string_view bytes) = 0;
  /// Called once, last: writes what is still held.
  virtual void finish() = 0;

  /// Whether add_content is to be called at all.
  [[nodiscard]] virtual bool wants_content() const noexcept { return true; }
  /// One line for everything that this kind of image cannot hold, when it is finished.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace debroot::pack
