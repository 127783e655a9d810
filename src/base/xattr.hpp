/// Extended attributes, as far as an image carries them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace debroot::base {

/// One extended attribute: the full name ("security.capability") and its bytes.
struct ExtendedAttribute {
  std::string name;
  std::string value;

  friend bool operator==(const ExtendedAttribute &, const ExtendedAttribute &) = default;
};

/// True for attributes that are part of a tree: file capabilities, POSIX ACLs, user.* and trusted.*. Left out is what
/// the host's kernel adds by itself: security.selinux and other labels, and trusted.SGI_*, in which XFS shows root the
/// ACLs a second time.
[[nodiscard]] bool is_image_attribute(std::string_view name) noexcept;

/// The image attributes of the file or directory open at `fd` (not O_PATH), sorted by name; none where the file system
/// has no attributes. Ids in them are those of the caller's user namespace. @throws Error of kind output that says
/// "cannot read the attributes of '`subject`': …"
[[nodiscard]] std::vector<ExtendedAttribute> image_attributes(int fd, std::string_view subject);

/// The same for `name` in `directory` without opening it or following it: links, devices, FIFOs. Needs /proc; without
/// it there are none.
[[nodiscard]] std::vector<ExtendedAttribute> image_attributes_at(int directory, const std::string &name,
                                                                 std::string_view subject);

}  // namespace debroot::base
