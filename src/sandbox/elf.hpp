/// What the first bytes of a program say, and the smallest programs there are: enough to tell binfmt_misc which
/// programs belong to an architecture, and to try whether they run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace debroot::sandbox {

/// The fields of an ELF header that tell architectures apart (gabi, chapter 4).
struct ElfIdentity {
  unsigned word_bits = 64;  ///< 32 or 64: e_ident[EI_CLASS]
  bool is_big_endian = false;
  std::uint16_t machine = 0;  ///< e_machine
};

/// The identity of a Debian architecture's programs; nothing for one that is not known.
[[nodiscard]] std::optional<ElfIdentity> elf_identity(std::string_view architecture) noexcept;

/// Leading bytes that a program of this identity has where the mask is set.
struct MagicAndMask {
  std::string magic;
  std::string mask;
};

/// The 20 bytes up to e_machine. Left open are the OS ABI byte and which kind of executable it is (fixed address or
/// position-independent: 2 and 3 differ in one bit).
[[nodiscard]] MagicAndMask magic_of(const ElfIdentity &identity);

/// A program of `architecture` that exits with the number of its arguments, argv[0] included; nothing where debroot
/// does not have the few instructions.
[[nodiscard]] std::optional<std::string> counting_program(std::string_view architecture);

/// True when the file that begins with `bytes` is an ELF program without an interpreter, that is, statically linked.
/// `bytes` must hold the header and the program headers (the first 4 KB do).
[[nodiscard]] bool is_static_program(std::string_view bytes) noexcept;

}  // namespace debroot::sandbox
