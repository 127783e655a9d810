/// Which user and group ids a user namespace of debroot maps, and where they come from.
///
/// Text goes in and values come out, so that the rules can be tested without the host's files; `caller_id_map` and
/// `identity_id_map` are the two functions that read them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::sandbox {

/// A Debian system uses ids up to 65534 (nobody), so a range must hold 65536 (Policy section 9.2.2).
inline constexpr std::uint32_t kMinimumIds = 65536;

/// `count` ids that follow each other, as one line of /proc/PID/uid_map states them.
struct IdRange {
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  friend bool operator==(const IdRange &, const IdRange &) = default;
};

/// The maps of one user namespace.
struct IdMap {
  std::vector<IdRange> users;
  std::vector<IdRange> groups;
  uid_t caller_uid_inside = 0;  ///< what the caller's own ids are called inside; mapped so that mapped root may enter
  gid_t caller_gid_inside = 0;  ///< the caller's private directories and own what it made there
  bool is_subordinate = false;  ///< written by newuidmap and newgidmap; otherwise root writes them itself
};

/// The user who called debroot.
struct Caller {
  std::string name;  ///< from the user database, or the decimal uid when it has no entry
  uid_t uid = 0;
  gid_t gid = 0;  ///< the primary group of the user database, which is the one newgidmap lets be mapped
};

/// The first range of at least kMinimumIds ids that `text` (subuid(5)) gives to `caller`, by name or by number; when
/// all are shorter, the first of them; nothing when there is none. Lines that cannot be read are passed over, as
/// newuidmap does. Only outside and count are set.
[[nodiscard]] std::optional<IdRange> find_subordinate_range(std::string_view text, const Caller &caller);

/// The map made of both files: 0..count-1 are the range, and the caller's own id follows at `count`.
/// @throws Error of kind sandbox, with a usermod line that helps, when a range is missing or too short
[[nodiscard]] IdMap subordinate_id_map(const Caller &caller, std::string_view subuid, std::string_view subgid);

/// Every id that the text of /proc/self/uid_map (gid_map) says exists here, mapped to itself.
/// @throws Error of kind sandbox when fewer than kMinimumIds ids exist (a container with a short map)
[[nodiscard]] IdMap identity_id_map(std::string_view uid_map, std::string_view gid_map);

/// The caller, from its real uid.
[[nodiscard]] Caller current_caller();

/// `subordinate_id_map` of the caller and the host's files. @throws Error
[[nodiscard]] IdMap caller_id_map();

/// `identity_id_map` of this process. @throws Error
[[nodiscard]] IdMap identity_id_map();

/// The text to write to /proc/PID/uid_map.
[[nodiscard]] std::string id_map_text(const std::vector<IdRange> &ranges);

}  // namespace debroot::sandbox
