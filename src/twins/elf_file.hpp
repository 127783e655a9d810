/// What a twin's executables and libraries say of themselves (gabi, chapters 4 and 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/elf.hpp"

namespace debroot::twins {

/// One dynamically linked program, or one shared library.
struct ElfFile {
  std::string interpreter;          ///< the loader it asks for; empty for a library
  std::vector<std::string> needed;  ///< names of libraries, in order
};

/// True when the file that begins with `bytes` is ELF of this identity, whatever else is in it.
[[nodiscard]] bool has_identity(std::string_view bytes, const sandbox::ElfIdentity &identity) noexcept;

/// Reads a whole file. Nothing for what is no ELF file of `identity`, for a byte order that is not this host's, and for
/// one whose tables point outside of it.
[[nodiscard]] std::optional<ElfFile> read_elf(std::string_view bytes, const sandbox::ElfIdentity &identity);

}  // namespace debroot::twins
