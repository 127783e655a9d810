/// A directory that becomes the image in place.
#pragma once

#include <string>

namespace debroot::build {

/// Made before anything is fetched if it does not exist, and then taken away again by the destructor unless the build
/// came to its end. What a failed build put into it is the builder's to remove, unless something else was there.
class DirectoryOutput {
 public:
  DirectoryOutput() = default;
  DirectoryOutput(DirectoryOutput &&other) noexcept;
  DirectoryOutput &operator=(DirectoryOutput &&other) noexcept;
  ~DirectoryOutput();

  /// `allows_filled`: --skip=check/empty. @throws Error of kind usage when `path` may not become an image, of kind
  /// output when it cannot be made
  [[nodiscard]] static DirectoryOutput open(const std::string &path, bool allows_filled = false);

  /// Without links and relative parts, for other processes and hooks; empty if no directory is made.
  [[nodiscard]] const std::string &path() const noexcept { return path_; }
  /// Whether something was in it that is not the build's.
  [[nodiscard]] bool is_filled() const noexcept { return is_filled_; }
  void finish() noexcept { is_made_here_ = false; }

 private:
  std::string path_;
  bool is_made_here_ = false;
  bool is_filled_ = false;
};

}  // namespace debroot::build
