#include "plan/compression_level.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/text.hpp"

namespace debroot::plan {
namespace {

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

/// Variables that hold options of a program.
struct OptionVariables {
  Compression compression;
  std::array<std::string_view, 2> names;  ///< in the order read
  std::string_view with_value;            ///< letters of options that take a value
  int fastest;                            ///< what --fast means
};
constexpr std::array kVariables = {
    OptionVariables{Compression::xz, {"XZ_DEFAULTS", "XZ_OPT"}, "TMFCS", 0},
    OptionVariables{Compression::lzma, {"XZ_DEFAULTS", "XZ_OPT"}, "TMFCS", 0},
    OptionVariables{Compression::gzip, {"GZIP"}, "S", 1},
    OptionVariables{Compression::bzip2, {"BZIP2", "BZIP"}, "", 1},
    OptionVariables{Compression::lzop, {"LZOP"}, "oS", 1},
};

void read_options(std::string_view text, const OptionVariables &variables, CompressionLevel &level) {
  bool is_value = false;
  for (std::string_view word : base::split_words(text)) {
    if (std::exchange(is_value, false) || !word.starts_with('-')) continue;
    if (word == "--best") level.value = 9;
    if (word == "--fast") level.value = variables.fastest;
    if (word == "--extreme") level.is_extreme = true;
    if (word.starts_with("--")) continue;
    read_letters(word.substr(1), variables.with_value, level);
    is_value = word.size() == 2 && variables.with_value.find(word[1]) != std::string_view::npos;
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
  if (compression == Compression::zstd) return zstd_level(host.variable("ZSTD_CLEVEL"));
  CompressionLevel level;
  for (const OptionVariables &variables : kVariables) {
    if (variables.compression != compression) continue;
    for (std::string_view name : variables.names) read_options(host.variable(name), variables, level);
  }
  return level;
}

}  // namespace debroot::plan
