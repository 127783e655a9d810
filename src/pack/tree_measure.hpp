/// How large a tree is, for images whose size is fixed before they are filled.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// A sink that only counts.
class TreeMeasure : public TreeSink {
 public:
  void add(const TreeEntry &entry) override;
  void add_content(std::string_view /*bytes*/) override {}
  void finish() override {}
  [[nodiscard]] bool wants_content() const noexcept override { return false; }

  /// mmdebstrap's estimate in blocks of `block_bytes` (1024 or 4096): one block for every entry and one more for each
  /// whole block of a file, so that one of 4096 bytes takes two of that size; a hard link takes none.
  [[nodiscard]] std::uint64_t estimated_blocks(std::uint64_t block_bytes) const;
  /// Entries that are no hard links.
  [[nodiscard]] std::uint64_t inodes() const noexcept { return inodes_; }
  /// Blocks of `block_bytes` (1024 or 4096) that contents, directories, long links and attributes of an ext2 or ext4
  /// file system take, counted so that they are never more.
  [[nodiscard]] std::uint64_t ext_blocks(std::uint64_t block_bytes) const;

 private:
  std::uint64_t estimated_small_ = 0;
  std::uint64_t estimated_large_ = 0;
  std::uint64_t inodes_ = 0;
  std::uint64_t small_blocks_ = 0;
  std::uint64_t large_blocks_ = 0;
  std::unordered_map<std::string, std::uint64_t> listing_bytes_;  ///< of each directory
};

}  // namespace debroot::pack
