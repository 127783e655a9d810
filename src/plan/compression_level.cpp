#include "plan/compression_level.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <utility>

namespace debroot::plan {
namespace {

constexpr std::string_view kBlanks = " \t\n";
/// Without --ultra, which cannot be given by the environment.
constexpr int kMostOfZstd = 19;

/// "-9e": a digit is a level, and behind a letter of `with_value` the rest is not for us.
void read_letters(std::string_view letters, std::string_view with_value, CompressionLevel &level) {
  for (char letter : letters) {
    if (letter >= '0' && letter <= '9') level.value = letter - '0';
    if (letter == 'e') level.is_extreme = true;
    if (with_value.find(letter) != std::string_view::npos) return;
  }
}

/// The words of an option variable. `with_value` are the letters that take a value, `fastest` is what --fast means.
void read_words(std::string_view text, std::string_view with_value, int fastest, CompressionLevel &level) {
  bool is_value = false;
  while (!text.empty()) {
    std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
    std::size_t end = std::min(text.find_first_of(kBlanks, begin), text.size());
    std::string_view word = text.substr(begin, end - begin);
    text.remove_prefix(end);
    if (std::exchange(is_value, false) || !word.starts_with('-')) continue;
    if (word == "--best") level.value = 9;
    if (word == "--fast") level.value = fastest;
    if (word == "--extreme") level.is_extreme = true;
    if (word.starts_with("--")) continue;
    read_letters(word.substr(1), with_value, level);
    is_value = word.size() == 2 && with_value.find(word[1]) != std::string_view::npos;
  }
}

CompressionLevel zstd_level(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool is_number = failure == std::errc() && end == text.data() + text.size() && value > 0;
  return is_number ? CompressionLevel{std::min(value, kMostOfZstd)} : CompressionLevel{};
}

}  // namespace

CompressionLevel level_in_environment(Compression compression, const HostFacts &host) {
  CompressionLevel level;
  auto read = [&](std::initializer_list<const char *> names, std::string_view with_value, int fastest) {
    for (const char *name : names) read_words(host.variable(name), with_value, fastest, level);
  };
  switch (compression) {
    case Compression::zstd:
      return zstd_level(host.variable("ZSTD_CLEVEL"));
    case Compression::xz:
    case Compression::lzma:
      read({"XZ_DEFAULTS", "XZ_OPT"}, "TMFCS", 0);
      break;
    case Compression::gzip:
      read({"GZIP"}, "S", 1);
      break;
    case Compression::bzip2:
      read({"BZIP2", "BZIP"}, "", 1);
      break;
    case Compression::lzop:
      read({"LZOP"}, "oS", 1);
      break;
    default:
      break;
  }
  return level;
}

}  // namespace debroot::plan
