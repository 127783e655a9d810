/// How much of the twins a maintainer script may see.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace debroot::twins {

/// Paths of the image that twins cover, by their name without a leading "/usr": with and without merged /usr one
/// program has one name.
using CoveredPaths = std::map<std::string, std::string, std::less<>>;

/// `path` as CoveredPaths has it.
[[nodiscard]] std::string_view without_usr(std::string_view path) noexcept;

/// What a script sees.
struct ScriptView {
  bool is_bare = false;                     ///< the tree as it is
  std::vector<std::string> uncovered = {};  ///< paths that no twin covers meanwhile
  bool is_led_by_path = false;              ///< twins come first in PATH, also those that cover nothing meanwhile
};

/// The view for a script with this text. Three kinds do not get the usual one:
///
/// those that copy programs into something that stays, by themselves or by what they call (an initramfs), would copy
/// twins: they get the bare tree, unless no program that does such a thing is there (`copiers`);
///
/// those that change a program which a twin covers: renaming it fails, and a new mode or owner would be the twin's. A
/// script is taken to do so when it speaks of a covered path and has, anywhere, an option that lets dpkg-divert or
/// dpkg-statoverride touch files, or on the same line something like chmod. What escapes this fails loudly, since twins
/// are mounted read-only;
///
/// the one that moves /bin, /sbin and /lib below /usr, which must meet the files there and yet starts cp for each.
[[nodiscard]] ScriptView view_for(std::string_view script, const CoveredPaths &covered, bool has_copiers);

/// Programs that put others into an initramfs.
[[nodiscard]] std::span<const std::string_view> copiers() noexcept;

}  // namespace debroot::twins
