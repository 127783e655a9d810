/// dpkg's --path-exclude and --path-include.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deb/archive.hpp"

namespace debroot::unpack {

/// Decides which entries of a package are left out. The last rule that matches wins; an excluded directory or symlink
/// is kept nevertheless where an include may need it as a parent (dpkg(1), --path-exclude).
class PathFilter {
 public:
  void exclude(std::string pattern) { rules_.push_back({std::move(pattern), false}); }
  void include(std::string pattern) { rules_.push_back({std::move(pattern), true}); }
  [[nodiscard]] bool is_empty() const noexcept { return rules_.empty(); }
  [[nodiscard]] bool skips(const deb::Entry &entry) const;

 private:
  struct Rule {
    std::string pattern;
    bool is_include;
  };
  std::vector<Rule> rules_;
};

/// The rules in dpkg.cfg text: lines "path-exclude=PATTERN" or "path-exclude PATTERN".
void read_path_rules(std::string_view dpkg_config, PathFilter &filter);

}  // namespace debroot::unpack
