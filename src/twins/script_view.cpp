#include "twins/script_view.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace debroot::twins {
namespace {

/// Words of what copies programs: initramfs-tools and its kin, dracut, and the hooks of kernels, which call both.
constexpr std::array<std::string_view, 4> kCopying = {"initramfs", "initrd", "dracut", "/etc/kernel"};
constexpr std::array<std::string_view, 5> kCopiers = {"/usr/sbin/mkinitramfs", "/usr/bin/dracut", "/usr/sbin/dracut",
                                                      "/usr/bin/mkosi-initrd", "/usr/sbin/mktirfs"};
/// dpkg-divert and dpkg-statoverride touch files only when they are told so.
constexpr std::array<std::string_view, 2> kDiverting = {"--rename", "--update"};
constexpr std::array<std::string_view, 9> kChanging = {"chattr", "chgrp", "chmod",  "chown",  "cp",
                                                       "ln",     "mv",    "setcap", "setfacl"};
/// usrmerge's program.
constexpr std::string_view kMerging = "convert-usrmerge";
/// What separates words in a shell script as far as this matters.
constexpr std::string_view kSeparators = " \t\r\"'`(){}[]<>;&|=$,:";

template <std::size_t Count>
bool is_one_of(std::string_view word, const std::array<std::string_view, Count> &words) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Lines with those that a backslash continues joined to one; comments are left out, the first line among them.
std::vector<std::string> logical_lines(std::string_view script) {
  std::vector<std::string> out;
  bool is_continued = false;
  for (std::string_view line : base::split(script, '\n')) {
    if (!is_continued && base::trim(line).starts_with('#')) continue;
    bool goes_on = line.ends_with('\\');
    if (goes_on) line.remove_suffix(1);
    if (is_continued) {
      out.back() += line;
    } else {
      out.emplace_back(line);
    }
    is_continued = goes_on;
  }
  return out;
}

}  // namespace

std::string_view without_usr(std::string_view path) noexcept {
  if (path.starts_with("/usr/")) path.remove_prefix(4);
  return path;
}

std::span<const std::string_view> copiers() noexcept { return kCopiers; }

ScriptView view_for(std::string_view script, const CoveredPaths &covered, bool has_copiers) {
  ScriptView view;
  std::vector<std::string> spoken_of;
  bool diverts = false;
  for (const std::string &line : logical_lines(script)) {
    bool copies = has_copiers && std::any_of(kCopying.begin(), kCopying.end(), [&](std::string_view word) {
                    return line.find(word) != std::string::npos;
                  });
    if (copies) return {.is_bare = true};
    if (line.find(kMerging) != std::string::npos) view.is_led_by_path = true;
    std::vector<std::string> here;
    bool changes_here = false;
    for (std::string_view word : base::split_words(line, kSeparators)) {
      diverts = diverts || is_one_of(word, kDiverting);
      changes_here = changes_here || is_one_of(word, kChanging);
      if (auto found = covered.find(without_usr(word)); found != covered.end()) here.push_back(found->second);
    }
    if (changes_here) view.uncovered.insert(view.uncovered.end(), here.begin(), here.end());
    spoken_of.insert(spoken_of.end(), here.begin(), here.end());
  }
  if (diverts) view.uncovered = std::move(spoken_of);
  if (view.is_led_by_path) {
    for (const auto &[name, path] : covered) {
      if (!path.starts_with("/usr/")) view.uncovered.push_back(path);
    }
  }
  std::sort(view.uncovered.begin(), view.uncovered.end());
  view.uncovered.erase(std::unique(view.uncovered.begin(), view.uncovered.end()), view.uncovered.end());
  return view;
}

}  // namespace debroot::twins
