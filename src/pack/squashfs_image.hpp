/// Images that are a squashfs, written with libsquashfs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pack/image_sink.hpp"
#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// A squashfs as mmdebstrap has tar2sqfs make it: xz, blocks of 1 MiB, an export table (so that it can be served over
/// NFS), attributes but those of the name space system, which squashfs has no place for. Its own time is the epoch;
/// bytes do not depend on the number of threads. Times before 1970 and after 2106 are written as the nearest that there
/// is room for. Contents are compressed while the walk goes on, the tree itself is kept until `finish`.
class SquashfsImage : public TreeSink {
 public:
  /// @throws Error of kind output when the file cannot be written
  SquashfsImage(const ImageSink &output, std::int64_t epoch_seconds, unsigned threads);
  ~SquashfsImage() override;

  void add(const TreeEntry &entry) override;
  void add_content(std::string_view bytes) override;
  void finish() override;
  /// "left out of 'a.squashfs': the ACL of '/var/log/journal'"
  [[nodiscard]] std::vector<std::string> warnings() const override;

 private:
  class Writer;
  std::unique_ptr<Writer> writer_;
};

}  // namespace debroot::pack
