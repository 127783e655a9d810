/// What both readers of images share: digests of contents, spelling of paths, hard links.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "diff/image.hpp"

namespace debroot::diff {

/// How much text one image may keep in memory; files beyond it are compared by their digests alone.
class TextBudget {
 public:
  /// Takes `bytes` if that much is left.
  [[nodiscard]] bool take(std::uint64_t bytes) noexcept;

 private:
  std::uint64_t left_ = std::uint64_t{128} << 20;
};

/// Follows the content of one file.
class ContentReader {
 public:
  explicit ContentReader(TextBudget &budget) : budget_(budget), hasher_(base::HashKind::sha256) {}
  void update(std::string_view bytes);
  /// Sets size, digest and text of `entry`.
  void finish(Entry &entry);

 private:
  TextBudget &budget_;
  base::Hasher hasher_;
  std::uint64_t size_bytes_ = 0;
  std::string text_;
  bool is_text_ = true;
};

/// "etc/", "/etc" and "./etc" are all "./etc"; the root is ".".
[[nodiscard]] std::string plain_path(std::string_view path);

/// Called once after the last entry was added: turns hard links into what they share, with all names of it, and keeps
/// the last of repeated entries.
void settle(Image &image);

}  // namespace debroot::diff
