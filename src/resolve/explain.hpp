/// Why a request cannot be met, as a tree that can be printed and tested.
#pragma once

#include <string>
#include <vector>

#include "debroot/error.hpp"

namespace debroot::resolve {

/// One statement and what it rests on.
struct Problem {
  std::string text;  ///< "nginx (>= 1.24) is requested", "dbus_1.14_amd64 needs libdbus-1-3 (= 1.14)"
  std::vector<Problem> causes;
};

/// The outcome of a request that cannot be met.
struct Unsatisfiable {
  std::vector<Problem> problems;  ///< one tree for each requested package that fails
  std::string hint;               ///< what to do about it, empty when nothing is known to help

  /// "cannot satisfy the requested packages" of kind unsatisfiable, with the drawn trees.
  [[nodiscard]] Error as_error() const;
};

/// The trees with box-drawing characters, one line a statement, no line end behind the last.
[[nodiscard]] std::string draw(const std::vector<Problem> &problems);

}  // namespace debroot::resolve
