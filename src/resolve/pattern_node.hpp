/// The parsed form of apt patterns, shared by their parser and their evaluation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "resolve/expression.hpp"
#include "resolve/pattern.hpp"

namespace debroot::resolve {

/// What a term tests. `depends` and `reverse_depends` carry the kind of relation beside it.
enum class Term {
  all_versions,
  always,
  any_version,
  architecture,
  archive,
  automatic,
  codename,
  conjunction,
  depends,
  disjunction,
  essential,
  exact_name,
  glob_name,
  installed,
  name,
  negation,
  never,
  origin,
  priority,
  reverse_depends,
  section,
  source_package,
  source_version,
  upgradable,
  version,
};

struct Pattern::Node {
  Term term = Term::never;
  DependencyKind kind = DependencyKind::depends;
  std::string word;
  std::optional<Regex> regex;  ///< of `word`, for the terms that take a regular expression
  std::vector<Node> children;
};

}  // namespace debroot::resolve
