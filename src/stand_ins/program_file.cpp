#include "stand_ins/program_file.hpp"

#include "debroot/error.hpp"

namespace debroot::stand_ins {

std::string with_dialect(std::string_view program, Dialect dialect) {
  std::string out(program);
  std::size_t at = out.find(kDialectMarker);
  bool is_once = at != std::string::npos && out.find(kDialectMarker, at + 1) == std::string::npos;
  if (!is_once || at + kDialectMarker.size() == out.size()) {
    throw Error(ErrorKind::internal, "the stand-in program has no place for its dialect");
  }
  out[at + kDialectMarker.size()] = static_cast<char>(dialect);
  return out;
}

}  // namespace debroot::stand_ins
