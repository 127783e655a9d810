#include "sandbox/id_map.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::sandbox {
namespace {

constexpr std::uint64_t kIdLimit = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint32_t> parse_id(std::string_view text) {
  auto number = base::parse_number(base::trim(text));
  if (!number || *number > kIdLimit) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

struct SubordinateLine {
  std::string_view owner;
  IdRange range;
};

std::vector<SubordinateLine> parse_subordinate_lines(std::string_view text) {
  std::vector<SubordinateLine> lines;
  for (std::string_view line : base::split(text, '\n')) {
    auto parts = base::split(line, ':');
    if (parts.size() != 3 || parts[0].starts_with('#')) continue;
    auto start = parse_id(parts[1]);
    auto count = parse_id(parts[2]);
    if (start && count && *count > 0 && std::uint64_t{*start} + *count <= kIdLimit) {
      lines.push_back({base::trim(parts[0]), {0, *start, *count}});
    }
  }
  return lines;
}

/// Where a new range can begin without meeting one that is there; useradd begins at 100000 too.
std::uint64_t free_start(std::string_view subuid, std::string_view subgid) {
  std::uint64_t start = 100000;
  for (std::string_view text : {subuid, subgid}) {
    for (const SubordinateLine &line : parse_subordinate_lines(text)) {
      start = std::max(start, std::uint64_t{line.range.outside} + line.range.count);
    }
  }
  return start;
}

std::string usermod_hint(const Caller &caller, std::string_view subuid, std::string_view subgid) {
  std::uint64_t first = free_start(subuid, subgid);
  std::uint64_t last = first + kMinimumIds - 1;
  return fmt::format("as root: usermod --add-subuids {}-{} --add-subgids {}-{} {}", first, last, first, last,
                     caller.name);
}

std::vector<IdRange> parse_own_map(std::string_view text) {
  std::vector<IdRange> ranges;
  for (std::string_view line : base::split(text, '\n')) {
    auto words = base::split_words(line);
    if (words.size() != 3) continue;
    auto inside = parse_id(words[0]);
    auto count = parse_id(words[2]);
    if (inside && count) ranges.push_back({*inside, *inside, *count});
  }
  return ranges;
}

/// Ids from 0 upwards that follow each other without a gap.
std::uint64_t contiguous_ids(std::vector<IdRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const IdRange &a, const IdRange &b) { return a.inside < b.inside; });
  std::uint64_t end = 0;
  for (const IdRange &range : ranges) {
    if (range.inside > end) break;
    end = std::max(end, std::uint64_t{range.inside} + range.count);
  }
  return end;
}

/// An absent file of subordinate ids is an empty one.
std::string read_if_there(const std::string &path) {
  return ::access(path.c_str(), R_OK) == 0 ? base::read_file(path) : std::string{};
}

}  // namespace

std::optional<IdRange> find_subordinate_range(std::string_view text, const Caller &caller) {
  std::optional<IdRange> first;
  std::string number = std::to_string(caller.uid);
  for (const SubordinateLine &line : parse_subordinate_lines(text)) {
    if (line.owner != caller.name && line.owner != number) continue;
    if (line.range.count >= kMinimumIds) return line.range;
    if (!first) first = line.range;
  }
  return first;
}

IdMap subordinate_id_map(const Caller &caller, std::string_view subuid, std::string_view subgid) {
  auto range_of = [&](std::string_view text, std::string_view file, std::string_view noun) {
    auto range = find_subordinate_range(text, caller);
    if (!range) {
      throw Error(ErrorKind::sandbox, fmt::format("user '{}' has no subordinate {} ids", caller.name, noun))
          .detail("expected",
                  fmt::format("a line '{}:{}:{}' in {}", caller.name, free_start(subuid, subgid), kMinimumIds, file))
          .hint(usermod_hint(caller, subuid, subgid));
    }
    if (range->count < kMinimumIds) {
      throw Error(ErrorKind::sandbox, fmt::format("user '{}' has too few subordinate {} ids", caller.name, noun))
          .detail("expected", fmt::format("{} ids in one line of {}", kMinimumIds, file))
          .detail("got", fmt::format("{} ids from {}", range->count, range->outside))
          .hint(usermod_hint(caller, subuid, subgid));
    }
    return *range;
  };
  IdRange users = range_of(subuid, "/etc/subuid", "user");
  IdRange groups = range_of(subgid, "/etc/subgid", "group");
  IdMap map;
  map.users = {users, {users.count, caller.uid, 1}};
  map.groups = {groups, {groups.count, caller.gid, 1}};
  map.caller_uid_inside = users.count;
  map.caller_gid_inside = groups.count;
  map.is_subordinate = true;
  return map;
}

IdMap identity_id_map(std::string_view uid_map, std::string_view gid_map) {
  IdMap map;
  map.users = parse_own_map(uid_map);
  map.groups = parse_own_map(gid_map);
  std::uint64_t count = std::min(contiguous_ids(map.users), contiguous_ids(map.groups));
  if (count < kMinimumIds) {
    throw Error(ErrorKind::sandbox, "too few user and group ids exist in this container")
        .detail("expected", fmt::format("ids 0 to {} in /proc/self/uid_map and gid_map", kMinimumIds - 1))
        .detail("got", count == 0 ? std::string("none") : fmt::format("ids 0 to {}", count - 1))
        .hint("give the container a map of 65536 ids, for example by subordinate ids of the user who starts it");
  }
  return map;
}

Caller current_caller() {
  Caller caller{std::to_string(::getuid()), ::getuid(), ::getgid()};
  passwd entry{};
  passwd *found = nullptr;
  std::vector<char> buffer(16384);
  if (::getpwuid_r(caller.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    caller.name = entry.pw_name;
    caller.gid = entry.pw_gid;
  }
  return caller;
}

IdMap caller_id_map() {
  return subordinate_id_map(current_caller(), read_if_there("/etc/subuid"), read_if_there("/etc/subgid"));
}

IdMap identity_id_map() {
  return identity_id_map(base::read_file("/proc/self/uid_map"), base::read_file("/proc/self/gid_map"));
}

std::string id_map_text(const std::vector<IdRange> &ranges) {
  std::string text;
  for (const IdRange &range : ranges) text += fmt::format("{} {} {}\n", range.inside, range.outside, range.count);
  return text;
}

}  // namespace debroot::sandbox
