#include "pack/tree_measure.hpp"

#include <algorithm>

namespace debroot::pack {
namespace {

constexpr std::uint64_t kSmallBlock = 1024;
constexpr std::uint64_t kLargeBlock = 4096;
/// An entry of a listing that has no name yet.
constexpr std::uint64_t kListingEntryBytes = 8;
/// The longest target that fits into an inode.
constexpr std::size_t kLongestInlineLink = 59;

std::uint64_t divided_up(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

/// Blocks of a file with those that point to them, of which there are more in ext2 than in ext4.
std::uint64_t file_blocks(std::uint64_t bytes, std::uint64_t block_bytes) {
  constexpr std::uint64_t kDirect = 12;
  std::uint64_t data = divided_up(bytes, block_bytes);
  if (data <= kDirect) return data;
  std::uint64_t pointers = block_bytes / 4;
  std::uint64_t first = divided_up(data, pointers);
  return data + first + divided_up(first, pointers) + 1;
}

/// A listing's entries do not cross blocks, so some of each is lost.
std::uint64_t listing_blocks(std::uint64_t bytes, std::uint64_t block_bytes) {
  constexpr std::uint64_t kLost = 276;  // the longest entry, and the checksum at the end
  return file_blocks(divided_up(bytes, block_bytes - kLost) * block_bytes, block_bytes);
}

std::string parent_of(std::string path) {
  if (path.ends_with('/')) path.pop_back();
  std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

}  // namespace

void TreeMeasure::add(const TreeEntry &entry) {
  std::string parent = parent_of(entry.path);
  if (!parent.empty()) {
    listing_bytes_[parent] += kListingEntryBytes + divided_up(entry.path.size() - parent.size(), 4) * 4;
  }
  if (entry.type == EntryType::hard_link) return;
  ++inodes_;
  estimated_small_ += entry.size_bytes / kSmallBlock + 1;
  estimated_large_ += entry.size_bytes / kLargeBlock + 1;
  if (entry.type == EntryType::file) {
    small_blocks_ += file_blocks(entry.size_bytes, kSmallBlock);
    large_blocks_ += file_blocks(entry.size_bytes, kLargeBlock);
  }
  if (entry.type == EntryType::directory) listing_bytes_[entry.path] += 2 * (kListingEntryBytes + 4);
  std::uint64_t more = entry.link_target.size() > kLongestInlineLink ? 1 : 0;
  if (!entry.attributes.empty()) ++more;
  small_blocks_ += more * divided_up(entry.link_target.size() + 1, kSmallBlock);
  large_blocks_ += more;
}

std::uint64_t TreeMeasure::estimated_blocks(std::uint64_t block_bytes) const {
  return block_bytes == kSmallBlock ? estimated_small_ : estimated_large_;
}

std::uint64_t TreeMeasure::ext_blocks(std::uint64_t block_bytes) const {
  std::uint64_t blocks = block_bytes == kSmallBlock ? small_blocks_ : large_blocks_;
  for (const auto &[path, bytes] : listing_bytes_) blocks += listing_blocks(bytes, block_bytes);
  return blocks;
}

}  // namespace debroot::pack
