#include "pack/pack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/fd.hpp"
#include "pack/ext_image.hpp"
#include "pack/squashfs_image.hpp"
#include "pack/tar_stream.hpp"

namespace debroot::pack {
namespace {

bool is_tar(const ImageSink &output) { return output.format == Format::tar || output.format == Format::oci; }
bool is_ext(const ImageSink &output) { return output.format == Format::ext2 || output.format == Format::ext4; }

/// What has to be known of the tree before the first block of some images.
std::unique_ptr<TreeMeasure> measure_tree(const base::RootDirectory &root, const PackOptions &options) {
  auto measure = std::make_unique<TreeMeasure>();
  PackOptions silent = options;
  silent.on_progress = {};
  silent.consumes_tree = false;
  TreeSink *sink = measure.get();
  static_cast<void>(walk_tree(root, {&sink, 1}, silent));  // the walk that writes says what is left out
  return measure;
}

std::uint64_t size_of(const ImageSink &output) {
  struct stat info {};
  if (::fstat(output.fd, &info) == 0) return static_cast<std::uint64_t>(info.st_size);
  throw base::os_error(ErrorKind::output, errno, fmt::format("cannot look at {}", subject_of(output.name)));
}

class Packer {
 public:
  Packer(const base::RootDirectory &root, std::span<const ImageSink> outputs, const PackOptions &options)
      : root_(root), outputs_(outputs), options_(options) {
    std::vector<ImageSink> tars;
    for (ImageSink output : outputs_) {
      if (!is_tar(output)) continue;
      if (output.format == Format::oci) output.compression = Compression::gzip;
      tars.push_back(std::move(output));
    }
    if (!tars.empty()) add_tars(tars);
    for (const ImageSink &output : outputs_) {
      if (!is_tar(output)) add_image(output);
    }
  }

  PackResult run() {
    std::vector<TreeSink *> sinks;
    sinks.reserve(sinks_.size());
    for (const std::unique_ptr<TreeSink> &sink : sinks_) sinks.push_back(sink.get());
    WalkResult walked = walk_tree(root_, sinks, options_);
    PackResult result;
    result.count = walked.count;
    result.warnings = std::move(walked.warnings);
    for (TreeSink *sink : sinks) {
      sink->finish();
      std::vector<std::string> more = sink->warnings();
      result.warnings.insert(result.warnings.end(), more.begin(), more.end());
    }
    std::vector<std::uint64_t> tar_bytes;
    if (tars_ != nullptr) {
      tar_bytes = tars_->output_bytes();
      result.tar_digest = tars_->tar_digest();
    }
    auto next_tar = tar_bytes.begin();
    for (const ImageSink &output : outputs_) {
      result.output_bytes.push_back(is_tar(output) ? *next_tar++ : size_of(output));
    }
    return result;
  }

 private:
  void add_tars(const std::vector<ImageSink> &tars) {
    auto stream = std::make_unique<TarStream>(tars, options_.epoch_seconds, options_.threads, options_.is_cancelled);
    if (std::any_of(tars.begin(), tars.end(), [](const ImageSink &one) { return one.format == Format::oci; })) {
      stream->take_digest();
    }
    tars_ = stream.get();
    sinks_.push_back(std::move(stream));
  }

  void add_image(const ImageSink &output) {
    if (is_ext(output)) {
      if (!measure_) measure_ = measure_tree(root_, options_);
      sinks_.push_back(std::make_unique<ExtImage>(output, *measure_, options_.epoch_seconds));
    } else if (output.format == Format::squashfs) {
      sinks_.push_back(std::make_unique<SquashfsImage>(output, options_.epoch_seconds, options_.threads));
    } else {
      throw Error(ErrorKind::internal, fmt::format("cannot write {}: it is no packed format", subject_of(output.name)));
    }
  }

  const base::RootDirectory &root_;
  std::span<const ImageSink> outputs_;
  const PackOptions &options_;
  std::unique_ptr<TreeMeasure> measure_;
  std::vector<std::unique_ptr<TreeSink>> sinks_;
  TarStream *tars_ = nullptr;  ///< one of sinks_, if an output is a tar
};

}  // namespace

PackResult pack_tree(const base::RootDirectory &root, std::span<const ImageSink> outputs, const PackOptions &options) {
  return Packer(root, outputs, options).run();
}

}  // namespace debroot::pack
