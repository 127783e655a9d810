/// apt patterns (apt-patterns(7)): "?narrow(?archive(^bookworm$), ?essential)", "~E", "!~pextra | ?name(^lib)".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resolve/marking.hpp"

namespace debroot::resolve {

/// One parsed pattern.
class Pattern {
 public:
  /// A term with its arguments: word and patterns, as the term demands.
  struct Node;

  /// @throws Error of kind usage that names the pattern, the fault and where it is.
  [[nodiscard]] static Pattern parse(std::string_view text);

  /// The packages that match, in the order apt marks them. Names without any real package never match.
  [[nodiscard]] std::vector<SlotId> select(Marking &marking, const MentionOrder &mentions) const;

 private:
  explicit Pattern(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

/// Whether an item of a request is a pattern rather than a name.
[[nodiscard]] bool is_pattern(std::string_view item) noexcept;

}  // namespace debroot::resolve
