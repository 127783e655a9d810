/// Images that are an OCI image layout: a directory with one image in it, as container tools take it (`skopeo copy
/// oci:DIRECTORY …`, `umoci unpack --image DIRECTORY:latest …`).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace debroot::pack {

/// What the image says of itself.
struct OciSettings {
  std::string architecture;        ///< Debian's name
  std::int64_t epoch_seconds = 0;  ///< when it says it was created
  std::string tar_digest;          ///< SHA-256 of the layer before its compression
  bool has_shell = false;          ///< containers run bash unless they are told otherwise
};

/// One `-o` that is an OCI image: one layer, a tar compressed with gzip, which every reader knows. Made beside the
/// place where it goes and moved there whole by `finish`; lives in the process that sees the host's files.
///
/// Format: OCI image-spec 1.0, image-layout.md, manifest.md and config.md. The tag is "latest". Everything follows from
/// the layer and the settings, so equal trees are equal images.
class OciImage {
 public:
  /// Nothing or an empty directory is at `path`. @throws Error of kind usage when something is there or the parent is
  /// missing, of kind output when nothing can be written
  [[nodiscard]] static OciImage open(const std::string &path);

  OciImage(OciImage &&) noexcept;
  OciImage &operator=(OciImage &&) noexcept;
  /// Without a `finish` nothing is left behind.
  ~OciImage();

  /// Where the layer is written, for ImageSink::fd; valid until `finish`.
  [[nodiscard]] int fd() const noexcept;

  /// Writes the documents that describe the layer, and moves all to its place. @throws Error of kind output
  void finish(const OciSettings &settings);

 private:
  struct State;
  explicit OciImage(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace debroot::pack
