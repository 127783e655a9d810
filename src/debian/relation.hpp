/// Relations between packages (Policy section 7.1): "a (>= 1) | b, c:any".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "debian/version.hpp"

namespace debroot::debian {

/// One alternative. The views point into the text that was parsed, which must outlive them.
struct Relation {
  std::string_view name;
  std::string_view architecture;  ///< qualifier behind the colon ("any", "native", an architecture), mostly empty
  VersionTest test = VersionTest::any;
  std::string_view version;  ///< empty when test is any

  friend bool operator==(const Relation &, const Relation &) = default;
};

/// Alternatives separated by bars, in the order that expresses preference; never empty.
using OrGroup = std::vector<Relation>;

/// All or-groups of a field's value, in order. Architecture restrictions ("[amd64]") and build profiles occur in source
/// packages only and are dropped. @throws Error of kind index naming the text that is no relation.
[[nodiscard]] std::vector<OrGroup> parse_relations(std::string_view text);

/// "name:arch (>= version)", dpkg's own spelling.
[[nodiscard]] std::string to_string(const Relation &relation);
/// "a | b"
[[nodiscard]] std::string to_string(const OrGroup &group);
/// "a | b, c": the whole value as dpkg writes it back into its database.
[[nodiscard]] std::string to_string(const std::vector<OrGroup> &groups);

}  // namespace debroot::debian
