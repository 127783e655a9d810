#include "diff/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"
#include "base/worker_pool.hpp"
#include "diff/describe.hpp"

namespace debroot::diff {
namespace {

constexpr std::size_t kDigestDigits = 12;

/// Decides which paths are left out.
class Filter {
 public:
  explicit Filter(const std::vector<std::string> &patterns) {
    for (std::string_view pattern : patterns) {
      if (pattern.starts_with("./")) pattern.remove_prefix(1);
      while (pattern.starts_with('/')) pattern.remove_prefix(1);
      while (pattern.ends_with('/')) pattern.remove_suffix(1);
      patterns_.emplace_back(pattern);
    }
  }

  [[nodiscard]] bool keeps(std::string_view path) const {
    if (patterns_.empty() || path == ".") return true;
    std::string inside(path.substr(2));
    // the path itself and every directory above it
    for (std::size_t end = inside.find('/');; end = inside.find('/', end + 1)) {
      std::string part = inside.substr(0, end);
      for (const std::string &pattern : patterns_) {
        if (base::glob_match(pattern, part)) return false;
      }
      if (end == std::string::npos) return true;
    }
  }

 private:
  std::vector<std::string> patterns_;
};

using Index = std::unordered_map<std::string_view, const Entry *>;

Index index_of(const Image &image, const Filter &filter) {
  Index index;
  for (const Entry &entry : image.entries) {
    if (filter.keeps(entry.path)) index.emplace(entry.path, &entry);
  }
  return index;
}

/// Adds the differences of one path that both images have.
class EntryComparison {
 public:
  EntryComparison(const Entry &a, const Entry &b, const CompareOptions &options, const Filter &filter,
                  std::vector<Difference> &out)
      : a_(a), b_(b), options_(options), filter_(filter), out_(out) {}

  void run() {
    bool is_same_type = a_.type == b_.type;
    if (!is_same_type) add(DifferenceKind::type, described_type(a_), described_type(b_));
    if (a_.mode != b_.mode) add(DifferenceKind::mode, fmt::format("{:04o}", a_.mode), fmt::format("{:04o}", b_.mode));
    if (!options_.ignores_owner && (a_.uid != b_.uid || a_.gid != b_.gid)) {
      add(DifferenceKind::owner, fmt::format("{}/{}", a_.uid, a_.gid), fmt::format("{}/{}", b_.uid, b_.gid));
    }
    if (is_same_type) compare_what_type_has();
    bool is_same_time = a_.mtime_seconds == b_.mtime_seconds && a_.mtime_nanoseconds == b_.mtime_nanoseconds;
    if (!options_.ignores_mtime && !is_same_time) add(DifferenceKind::mtime, time_of(a_), time_of(b_));
    if (!options_.ignores_xattrs) compare_attributes();
    compare_names();
    if (is_same_type && a_.sha256 != b_.sha256) compare_content();
  }

 private:
  void add(DifferenceKind kind, std::string a, std::string b, std::string note = {}) {
    out_.push_back({kind, a_.path, std::move(a), std::move(b), std::move(note)});
  }

  static std::string described_type(const Entry &entry) {
    std::string text(type_name(entry.type));
    if (!entry.link_target.empty()) text += fmt::format(" to '{}'", escaped(entry.link_target));
    return text;
  }

  void compare_what_type_has() {
    if (a_.link_target != b_.link_target) {
      add(DifferenceKind::link, fmt::format("'{}'", escaped(a_.link_target)),
          fmt::format("'{}'", escaped(b_.link_target)));
    }
    if (a_.device_major != b_.device_major || a_.device_minor != b_.device_minor) {
      add(DifferenceKind::device, fmt::format("{}:{}", a_.device_major, a_.device_minor),
          fmt::format("{}:{}", b_.device_major, b_.device_minor));
    }
  }

  void compare_attributes() {
    std::set<std::string> names;
    for (const Entry *entry : {&a_, &b_}) {
      for (const base::ExtendedAttribute &attribute : entry->attributes) names.insert(attribute.name);
    }
    for (const std::string &name : names) {
      const std::string *a = attribute_of(a_, name);
      const std::string *b = attribute_of(b_, name);
      if (a != nullptr && b != nullptr && *a == *b) continue;
      add(DifferenceKind::xattr, a != nullptr ? value_of(*a) : "none", b != nullptr ? value_of(*b) : "none", name);
    }
  }

  static const std::string *attribute_of(const Entry &entry, const std::string &name) {
    for (const base::ExtendedAttribute &attribute : entry.attributes) {
      if (attribute.name == name) return &attribute.value;
    }
    return nullptr;
  }

  void compare_names() {
    std::string a = names_of(a_);
    std::string b = names_of(b_);
    if (a != b) add(DifferenceKind::hard_links, a, b);
  }

  [[nodiscard]] std::string names_of(const Entry &entry) const {
    std::vector<std::string> others;
    for (const std::string &name : entry.names) {
      if (name != entry.path && filter_.keeps(name)) others.push_back(escaped(name));
    }
    return others.empty() ? "none" : base::join(others, " ");
  }

  void compare_content() {
    auto shown = [this](const Entry &entry) {
      std::string digest = "sha256 " + entry.sha256.substr(0, kDigestDigits) + "…";
      return a_.size_bytes == b_.size_bytes ? digest : fmt::format("{} bytes, {}", entry.size_bytes, digest);
    };
    add(DifferenceKind::content, shown(a_), shown(b_), a_.text && b_.text ? first_difference(*a_.text, *b_.text) : "");
  }

  const Entry &a_;
  const Entry &b_;
  const CompareOptions &options_;
  const Filter &filter_;
  std::vector<Difference> &out_;
};

void add_repeated(const Image &image, const Filter &filter, bool is_a, std::vector<Difference> &out) {
  for (const std::string &path : image.repeated) {
    if (!filter.keeps(path)) continue;
    out.push_back({DifferenceKind::repeated, path, is_a ? "more than once" : "", is_a ? "" : "more than once", {}});
  }
}

/// The first place where the paths that both have come in a different order.
void add_order(const Image &a, const Image &b, const Index &in_a, const Index &in_b, std::vector<Difference> &out) {
  auto common = [](const Image &image, const Index &own, const Index &other) {
    std::vector<std::string_view> paths;
    for (const Entry &entry : image.entries) {
      if (own.contains(entry.path) && other.contains(entry.path)) paths.push_back(entry.path);
    }
    return paths;
  };
  std::vector<std::string_view> of_a = common(a, in_a, in_b);
  std::vector<std::string_view> of_b = common(b, in_b, in_a);
  auto [first, second] = std::mismatch(of_a.begin(), of_a.end(), of_b.begin(), of_b.end());
  if (first == of_a.end()) return;
  out.push_back({DifferenceKind::order,
                 {},
                 escaped(*first),
                 escaped(*second),
                 fmt::format("first at entry {} of those in both", first - of_a.begin() + 1)});
}

std::size_t count_paths(const std::vector<Difference> &sorted) {
  std::size_t count = 0;
  std::string_view previous;
  for (const Difference &difference : sorted) {
    if (!difference.path.empty() && difference.path != previous) ++count;
    previous = difference.path;
  }
  return count;
}

}  // namespace

std::string_view kind_name(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::only_in_a:
      return "only in A";
    case DifferenceKind::only_in_b:
      return "only in B";
    case DifferenceKind::repeated:
      return "repeated";
    case DifferenceKind::type:
      return "type";
    case DifferenceKind::mode:
      return "mode";
    case DifferenceKind::owner:
      return "owner";
    case DifferenceKind::link:
      return "link";
    case DifferenceKind::device:
      return "device";
    case DifferenceKind::mtime:
      return "mtime";
    case DifferenceKind::xattr:
      return "xattr";
    case DifferenceKind::hard_links:
      return "hard links";
    case DifferenceKind::content:
      return "content";
    case DifferenceKind::order:
      return "order";
  }
  return "unknown";
}

Comparison compare(const Image &a, const Image &b, const CompareOptions &options) {
  Filter filter(options.ignore);
  Index in_a = index_of(a, filter);
  Index in_b = index_of(b, filter);
  Comparison result;
  result.entries_in_a = in_a.size();
  result.entries_in_b = in_b.size();
  std::vector<Difference> &out = result.differences;
  for (auto [path, entry] : in_a) {
    auto other = in_b.find(path);
    if (other == in_b.end()) {
      out.push_back({DifferenceKind::only_in_a, entry->path, summary_of(*entry), {}, {}});
    } else {
      EntryComparison(*entry, *other->second, options, filter, out).run();
    }
  }
  for (auto [path, entry] : in_b) {
    if (!in_a.contains(path)) out.push_back({DifferenceKind::only_in_b, entry->path, {}, summary_of(*entry), {}});
  }
  add_repeated(a, filter, true, out);
  add_repeated(b, filter, false, out);
  std::stable_sort(out.begin(), out.end(), [](const Difference &x, const Difference &y) {
    return std::tie(x.path, x.kind) < std::tie(y.path, y.kind);
  });
  result.differing_paths = count_paths(out);
  if (!options.ignores_order && a.has_order && b.has_order) add_order(a, b, in_a, in_b, out);
  return result;
}

Comparison compare_images(const std::string &path_a, const std::string &path_b, const CompareOptions &options) {
  base::WorkerPool pool(2);
  auto a = pool.submit([&path_a] { return read_image(path_a); });
  auto b = pool.submit([&path_b] { return read_image(path_b); });
  Image image_a = a.get();
  Image image_b = b.get();
  return compare(image_a, image_b, options);
}

}  // namespace debroot::diff
