#include "twins/location.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace debroot::twins {
namespace {

using Tuple = std::pair<std::string_view, std::string_view>;
constexpr std::array kTuples = {
    Tuple{"amd64", "x86_64-linux-gnu"},        Tuple{"arm64", "aarch64-linux-gnu"},
    Tuple{"armel", "arm-linux-gnueabi"},       Tuple{"armhf", "arm-linux-gnueabihf"},
    Tuple{"i386", "i386-linux-gnu"},           Tuple{"loong64", "loongarch64-linux-gnu"},
    Tuple{"ppc64el", "powerpc64le-linux-gnu"}, Tuple{"riscv64", "riscv64-linux-gnu"},
    Tuple{"s390x", "s390x-linux-gnu"},
};

/// Whether a path could go on to the left of `c`: then what follows is only its end.
bool continues_path(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-+").find(c) != std::string_view::npos;
}

/// `path` made `size` long by slashes behind it, which mean nothing to the kernel.
std::string padded(std::string path, std::size_t size) { return path.append(size - path.size(), '/'); }

}  // namespace

std::optional<std::string_view> library_tuple(std::string_view architecture) noexcept {
  const auto *found =
      std::find_if(kTuples.begin(), kTuples.end(), [&](const Tuple &each) { return each.first == architecture; });
  return found == kTuples.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string_view> below_libraries(std::string_view path, std::string_view tuple) noexcept {
  if (path.starts_with("/usr/")) path.remove_prefix(4);
  if (!path.starts_with("/lib/")) return std::nullopt;
  path.remove_prefix(5);
  if (!path.starts_with(tuple)) return std::nullopt;
  path.remove_prefix(tuple.size());
  if (!path.starts_with('/') || path.size() == 1) return std::nullopt;
  return path.substr(1);
}

bool relocate(std::string &bytes, std::string_view tuple, std::string_view interpreter) {
  std::string libraries = fmt::format("/lib/{}", tuple);
  std::string moved = fmt::format("{}/{}", kDirectory, kLibraries);
  std::string loader = fmt::format("{}/{}", kDirectory, kLoader);
  if (moved.size() > libraries.size()) return false;
  if (!interpreter.empty()) {
    std::string old(interpreter.data(), interpreter.size());
    old += '\0';
    std::size_t at = bytes.find(old);
    if (loader.size() > interpreter.size() || at == std::string::npos) return false;
    loader.resize(interpreter.size(), '\0');
    bytes.replace(at, loader.size(), loader);
  }
  moved = padded(std::move(moved), libraries.size());
  constexpr std::string_view kMerged = "/usr";
  for (std::size_t at = bytes.find(libraries); at != std::string::npos; at = bytes.find(libraries, at)) {
    std::size_t start = at;
    bool is_merged = at >= kMerged.size() && bytes.compare(at - kMerged.size(), kMerged.size(), kMerged) == 0;
    if (is_merged) start -= kMerged.size();
    if (start == 0 || !continues_path(bytes[start - 1])) {
      // a linker lets one string be the end of another, so each end of the new path must be that path too
      bytes.replace(start, at - start, at - start, '/');
      bytes.replace(at, moved.size(), moved);
    }
    at += moved.size();
  }
  return true;
}

}  // namespace debroot::twins
