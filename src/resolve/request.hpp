/// What the items of a request mean: names, versions, releases, globs, regular expressions, patterns, and the signs
/// behind a name that turn an item into its opposite.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "resolve/marking.hpp"

namespace debroot::resolve {

/// One package that an item stands for.
struct Wish {
  PackageRef version = kNone;
  bool is_from_pattern = false;  ///< chosen by an apt pattern, not by name
  std::string release;           ///< of `name/release`
};

/// All items taken together, each package once, in the order given.
struct Wishes {
  std::vector<Wish> installs;
  std::vector<SlotId> refusals;  ///< of `name-`
};

/// @throws Error of kind usage for an item that names nothing; the error proposes names that look alike.
[[nodiscard]] Wishes read_items(const std::vector<std::string> &items, Marking &marking, const Policy &policy,
                                const std::function<const MentionOrder &()> &mentions);

}  // namespace debroot::resolve
