#include "resolve/cache_order.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace debroot::resolve {
namespace {

constexpr std::uint32_t kBuckets = 196613;  ///< APT::Cache-HashTableSize
constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

/// The relation fields in the order apt takes them in; a stanza's own order does not matter.
struct RelationField {
  std::string_view name;
  bool is_weak;  ///< creates a package only if none of that name is known yet, as Conflicts and the like do
};
constexpr std::array<RelationField, 9> kFields{{{"Pre-Depends", false},
                                                {"Depends", false},
                                                {"Conflicts", true},
                                                {"Breaks", true},
                                                {"Recommends", false},
                                                {"Suggests", false},
                                                {"Replaces", true},
                                                {"Enhances", false},
                                                {"Provides", false}}};
constexpr std::size_t kProvides = 8;

/// Names are short and there are some 600,000 mentions: FNV-1a, a byte at a time.
std::uint32_t quick_hash(std::string_view name) noexcept {
  std::uint32_t hash = 2166136261u;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash ^ (hash >> 15);
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Number of the relation field that `line` begins with, or the number of fields.
std::size_t field_of_line(std::string_view line) noexcept {
  if (line.empty() || std::string_view("PDCBRSE").find(line[0]) == std::string_view::npos) return kFields.size();
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    std::string_view name = kFields[i].name;
    if (line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name)) return i;
  }
  return kFields.size();
}

using FieldValues = std::array<std::string_view, kFields.size()>;

/// All relation fields of a stanza in one pass over its lines.
FieldValues relation_values(std::string_view text) {
  FieldValues values;
  std::size_t current = kFields.size();
  while (!text.empty()) {
    const void *found = std::memchr(text.data(), '\n', text.size());
    std::size_t length = found ? static_cast<std::size_t>(static_cast<const char *>(found) - text.data()) : text.size();
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (!line.empty() && (line[0] == ' ' || line[0] == '\t')) {
      if (current == kFields.size()) continue;
      const char *begin = values[current].data();
      values[current] = {begin, static_cast<std::size_t>(line.data() + line.size() - begin)};
      continue;
    }
    current = field_of_line(line);
    if (current != kFields.size()) values[current] = line.substr(kFields[current].name.size() + 1);
  }
  return values;
}

}  // namespace

std::uint32_t cache_bucket(std::string_view name) noexcept {
  std::uint32_t hash = 5381;
  for (char c : name) hash = 33u * hash + static_cast<std::uint32_t>(static_cast<int>(c) | 0x20);
  return hash % kBuckets;
}

bool precedes_in_cache(std::string_view a, std::string_view b) noexcept {
  std::uint32_t bucket_a = cache_bucket(a);
  std::uint32_t bucket_b = cache_bucket(b);
  if (bucket_a != bucket_b) return bucket_a < bucket_b;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

MentionOrder::MentionOrder(const debian::PackageIndex &index, const std::vector<std::string> &architectures)
    : architectures_(std::max<std::size_t>(architectures.size(), 1)) {
  entries_.reserve(index.packages().size() * 3 / 2);
  table_.assign(std::bit_ceil(entries_.capacity() * 2 + 16), 0);
  for (const debian::BinaryPackage &package : index.packages()) {
    auto found = std::find(architectures.begin(), architectures.end(), package.architecture);
    std::size_t architecture =
        found == architectures.end() ? 0 : static_cast<std::size_t>(found - architectures.begin());
    read_stanza(package, architecture);
  }
}

std::uint32_t MentionOrder::of(std::string_view name, std::size_t architecture) const noexcept {
  std::uint32_t entry = table_[place_of(name, quick_hash(name))];
  return entry == 0 ? kNever : numbers_[(entry - 1) * architectures_ + architecture];
}

std::size_t MentionOrder::place_of(std::string_view name, std::uint32_t hash) const noexcept {
  std::size_t mask = table_.size() - 1;
  std::size_t place = hash & mask;
  while (table_[place] != 0) {
    const Entry &entry = entries_[table_[place] - 1];
    if (entry.hash == hash && entry.name == name) break;
    place = (place + 1) & mask;
  }
  return place;
}

void MentionOrder::grow() {
  table_.assign(table_.size() * 2, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    table_[place_of(entries_[i].name, entries_[i].hash)] = static_cast<std::uint32_t>(i + 1);
  }
}

void MentionOrder::mention(std::string_view name, std::size_t architecture, bool is_weak) {
  std::uint32_t hash = quick_hash(name);
  std::size_t place = place_of(name, hash);
  bool is_new = table_[place] == 0;
  if (is_new) {
    entries_.push_back({name, hash});
    table_[place] = static_cast<std::uint32_t>(entries_.size());
    numbers_.resize(numbers_.size() + architectures_, kNever);
  } else if (is_weak) {
    return;
  }
  std::uint32_t &number = numbers_[(table_[place] - 1) * architectures_ + architecture];
  if (number == kNever) number = next_++;
  if (is_new && entries_.size() * 2 > table_.size()) grow();
}

void MentionOrder::read_stanza(const debian::BinaryPackage &package, std::size_t architecture) {
  mention(package.name, architecture, false);
  FieldValues values = relation_values(package.stanza.text());
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (values[i].empty()) continue;
    // A Multi-Arch: foreign package provides for every architecture of the group, or else for the native one.
    bool is_for_all = i == kProvides && package.multi_arch == debian::MultiArch::foreign;
    read_relations(values[i], is_for_all ? 0 : architecture, kFields[i].is_weak || is_for_all);
  }
}

void MentionOrder::read_relations(std::string_view value, std::size_t architecture, bool is_weak) {
  const char *p = value.data();
  const char *end = p + value.size();
  while (p != end) {
    while (p != end && (is_blank(*p) || *p == ',' || *p == '|')) ++p;
    const char *name = p;
    while (p != end && !is_blank(*p) && *p != ',' && *p != '|' && *p != '(' && *p != ':') ++p;
    std::string_view text(name, static_cast<std::size_t>(p - name));
    // "name:any" is a package of its own to apt, which never competes with real ones.
    bool is_qualified = p != end && *p == ':';
    while (p != end && *p != ',' && *p != '|') ++p;
    if (text.empty() || is_qualified) continue;
    mention(text, architecture, is_weak);
  }
}

}  // namespace debroot::resolve
