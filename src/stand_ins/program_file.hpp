/// The program in program/, which is part of debroot's own file.
#pragma once

#include <string>
#include <string_view>

#include "stand_ins/dialect.hpp"

namespace debroot::stand_ins {

/// An ELF file of debroot's own architecture that needs no library.
[[nodiscard]] std::string_view program_bytes() noexcept;

/// `program` as it stands for a tool that speaks `dialect`. @throws Error of kind internal when it has no place for
/// that
[[nodiscard]] std::string with_dialect(std::string_view program, Dialect dialect);

}  // namespace debroot::stand_ins
