/// What a call throws, as text: pins every part of an Error in one comparison.
#pragma once

#include <string>

#include "debroot/error.hpp"

namespace debroot::test {

/// Message, frames as "  while: …", details as "  label: value", hint as "  try: …".
[[nodiscard]] inline std::string text_of(const Error &error) {
  std::string out = error.message();
  for (const std::string &frame : error.frames()) out += "\n  while: " + frame;
  for (const ErrorDetail &detail : error.details()) out += "\n  " + detail.label + ": " + detail.value;
  if (!error.hint().empty()) out += "\n  try: " + error.hint();
  return out;
}

/// The text of the Error that `call` throws, "nothing was thrown" if it returns. With `kind`, the Error's kind goes
/// there.
template <class Call>
[[nodiscard]] std::string thrown_by(Call call, ErrorKind *kind = nullptr) {
  try {
    static_cast<void>(call());
  } catch (const Error &error) {
    if (kind != nullptr) *kind = error.kind();
    return text_of(error);
  }
  return "nothing was thrown";
}

}  // namespace debroot::test
