#include "diff/entries.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace debroot::diff {
namespace {

/// dpkg's status file of a large image stays below it.
constexpr std::size_t kLargestTextBytes = 1 << 20;

using PathIndex = std::unordered_map<std::string, std::size_t>;

/// Keeps the last entry of each path, as unpacking would.
PathIndex drop_repeated(Image &image) {
  PathIndex last;
  for (std::size_t i = 0; i < image.entries.size(); ++i) {
    auto [found, is_new] = last.insert_or_assign(image.entries[i].path, i);
    if (!is_new) image.repeated.push_back(found->first);
  }
  if (image.repeated.empty()) return last;
  std::sort(image.repeated.begin(), image.repeated.end());
  image.repeated.erase(std::unique(image.repeated.begin(), image.repeated.end()), image.repeated.end());
  std::vector<Entry> kept;
  for (std::size_t i = 0; i < image.entries.size(); ++i) {
    if (last.at(image.entries[i].path) == i) kept.push_back(std::move(image.entries[i]));
  }
  image.entries = std::move(kept);
  last.clear();
  for (std::size_t i = 0; i < image.entries.size(); ++i) last[image.entries[i].path] = i;
  return last;
}

}  // namespace

bool TextBudget::take(std::uint64_t bytes) noexcept {
  if (bytes > left_) return false;
  left_ -= bytes;
  return true;
}

void ContentReader::update(std::string_view bytes) {
  hasher_.update(bytes);
  size_bytes_ += bytes.size();
  if (!is_text_) return;
  if (size_bytes_ > kLargestTextBytes || bytes.find('\0') != std::string_view::npos) {
    is_text_ = false;
    text_ = {};
  } else {
    text_ += bytes;
  }
}

void ContentReader::finish(Entry &entry) {
  entry.size_bytes = size_bytes_;
  entry.sha256 = hasher_.finish();
  if (is_text_ && budget_.take(text_.size())) entry.text = std::move(text_);
}

std::string plain_path(std::string_view path) {
  while (path.starts_with('/') || path.starts_with("./") || path == ".") path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.empty() ? "." : "./" + std::string(path);
}

void settle(Image &image) {
  PathIndex index = drop_repeated(image);
  std::unordered_map<std::size_t, std::vector<std::string>> groups;  // by the entry that holds the content
  std::vector<std::pair<std::size_t, std::size_t>> shares;           // link, holder
  for (std::size_t i = 0; i < image.entries.size(); ++i) {
    if (image.entries[i].type != EntryType::hard_link) continue;
    std::size_t holder = i;
    // a link may name a link; as many steps as there are entries would be a circle
    for (std::size_t steps = 0; image.entries[holder].type == EntryType::hard_link; ++steps) {
      auto found = index.find(plain_path(image.entries[holder].link_target));
      if (found == index.end() || steps > image.entries.size()) break;
      holder = found->second;
    }
    if (image.entries[holder].type == EntryType::hard_link) continue;
    shares.emplace_back(i, holder);
    std::vector<std::string> &names = groups[holder];
    if (names.empty()) names.push_back(image.entries[holder].path);
    names.push_back(image.entries[i].path);
  }
  for (auto &[holder, names] : groups) {
    std::sort(names.begin(), names.end());
    image.entries[holder].names = names;
  }
  for (auto [link, holder] : shares) {
    std::string path = std::move(image.entries[link].path);
    image.entries[link] = image.entries[holder];
    image.entries[link].path = std::move(path);
  }
}

}  // namespace debroot::diff
