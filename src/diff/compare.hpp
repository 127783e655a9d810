/// Tells how two images differ, path by path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "diff/image.hpp"

namespace debroot::diff {

/// In the order in which the differences of one path are told.
enum class DifferenceKind {
  only_in_a,
  only_in_b,
  repeated,  ///< a tar holds the path more than once
  type,
  mode,
  owner,
  link,
  device,
  mtime,
  xattr,
  hard_links,  ///< other names of the same file
  content,
  order,  ///< of the entries of two tars
};

/// The kind as it is shown and as JSON carries it: "only in A", "mode", …
[[nodiscard]] std::string_view kind_name(DifferenceKind kind) noexcept;

/// One difference; `a` and `b` are what the images say, ready to be shown.
struct Difference {
  DifferenceKind kind = DifferenceKind::content;
  std::string path;  ///< empty for `order`
  std::string a;     ///< empty where A has nothing
  std::string b;
  std::string note;  ///< of content where ("line 23: 'x' → 'y'"), of xattr its name, of order the place; else empty
};

struct CompareOptions {
  /// Paths to leave out with all that is below them: shell patterns whose star crosses slashes, from the root ("/dev",
  /// "/var/cache/*", "*.pyc"); a leading "./" means the same as "/".
  std::vector<std::string> ignore = {};
  bool ignores_mtime = false;
  bool ignores_owner = false;
  bool ignores_xattrs = false;
  bool ignores_order = false;
};

struct Comparison {
  std::vector<Difference> differences;  ///< sorted by path, then kind; the one about order last
  std::size_t entries_in_a = 0;         ///< without what was ignored
  std::size_t entries_in_b = 0;
  std::size_t differing_paths = 0;
};

/// Compares type, mode, owner, link target, device, modification time, extended attributes, the names that share a
/// file, content, and for two tars the order of the entries they have in common.
[[nodiscard]] Comparison compare(const Image &a, const Image &b, const CompareOptions &options);

/// Reads both images, side by side, and compares them. @throws Error of kind usage as `read_image`, A's before B's
[[nodiscard]] Comparison compare_images(const std::string &path_a, const std::string &path_b,
                                        const CompareOptions &options);

}  // namespace debroot::diff
