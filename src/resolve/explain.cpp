#include "resolve/explain.hpp"

namespace debroot::resolve {
namespace {

void draw_causes(const std::vector<Problem> &causes, const std::string &indent, std::string &out) {
  for (std::size_t i = 0; i < causes.size(); ++i) {
    bool is_last = i + 1 == causes.size();
    out += "\n" + indent + (is_last ? "└─ " : "├─ ") + causes[i].text;
    draw_causes(causes[i].causes, indent + (is_last ? "   " : "│  "), out);
  }
}

}  // namespace

std::string draw(const std::vector<Problem> &problems) {
  std::string out;
  for (const Problem &problem : problems) {
    if (!out.empty()) out += "\n";
    out += problem.text;
    draw_causes(problem.causes, "", out);
  }
  return out;
}

Error Unsatisfiable::as_error() const {
  Error error(ErrorKind::unsatisfiable, "cannot satisfy the requested packages");
  error.tree(draw(problems));
  if (!hint.empty()) error.hint(hint);
  return error;
}

}  // namespace debroot::resolve
