#include "build/error_wire.hpp"

#include <vector>

#include "base/wire.hpp"

namespace debroot::build {
namespace {

struct ErrorFields {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details;
  std::vector<std::string> frames;
  std::string hint;
  std::string tree;
};

template <class Wire>
void fields(Wire &wire, ErrorFields &error) {
  wire(error.kind, error.message, error.details, error.frames, error.hint, error.tree);
}

}  // namespace

std::string error_to_bytes(const Error &error) {
  ErrorFields out{error.kind(), error.message(), {}, error.frames(), error.hint(), error.tree()};
  for (const ErrorDetail &detail : error.details()) out.details.emplace_back(detail.label, detail.value);
  return base::to_wire(std::move(out));
}

Error error_from_bytes(std::string_view bytes) {
  auto in = base::from_wire<ErrorFields>(bytes);
  Error error(in.kind, in.message);
  for (auto &[label, value] : in.details) error.detail(label, value);
  for (std::string &frame : in.frames) error.frame(frame);
  error.hint(in.hint);
  error.tree(in.tree);
  return error;
}

}  // namespace debroot::build
