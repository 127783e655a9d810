/// Images that are an ext2 or ext4, written with libext2fs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pack/image_sink.hpp"
#include "pack/tree_measure.hpp"
#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// A file system of the size that mmdebstrap gives it (mmdebstrap(1), "ext2" and "ext4"), or larger where the tree
/// would not fit. No clock is in it: its own times are the epoch's, an inode's are those of the entry, its UUID and the
/// seed of its directory hashes follow from the epoch as mmdebstrap derives them (ext_uuid).
///
/// ext2: blocks of 1 KiB, inodes of 128 bytes, so times are those between 1901 and 2038 (others are written as the
/// nearest) and attributes are left out. ext4: blocks of 4 KiB, a journal, checksums, attributes; the features that
/// Debian 12's mke2fs.conf names, which every e2fsck since bullseye's knows.
class ExtImage : public TreeSink {
 public:
  /// @throws Error of kind output when the file cannot be written
  ExtImage(const ImageSink &output, const TreeMeasure &measure, std::int64_t epoch_seconds);
  ~ExtImage() override;

  void add(const TreeEntry &entry) override;
  void add_content(std::string_view bytes) override;
  void finish() override;
  /// "left out of 'a.ext2': the extended attributes of '/usr/bin/ping'"
  [[nodiscard]] std::vector<std::string> warnings() const override;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

/// The UUID of an image with this epoch, as 16 bytes: version 5 (RFC 4122, section 4.3) of the decimal epoch in the
/// name space that is itself version 5 of "mister-muffin.de" in the name space of domain names. mmdebstrap's, so that
/// equal epochs give equal UUIDs.
[[nodiscard]] std::string ext_uuid(std::int64_t epoch_seconds);

}  // namespace debroot::pack
