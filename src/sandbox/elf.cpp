#include "sandbox/elf.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace debroot::sandbox {
namespace {

/// What debroot knows of one architecture's programs.
struct ElfArchitecture {
  std::string_view name;
  ElfIdentity identity;
  std::uint32_t flags;        ///< e_flags of a plain program
  std::string_view counting;  ///< instructions that load argc from the initial stack and exit with it; may be empty
};

using namespace std::string_view_literals;

// Each program reads argc, the word the stack pointer shows at entry (psABI of each), and calls exit(argc).
constexpr std::array kArchitectures = {
    ElfArchitecture{"alpha", {64, false, 0x9026}, 0, ""sv},
    // mov edi,[rsp]; mov eax,60; syscall
    ElfArchitecture{"amd64", {64, false, EM_X86_64}, 0, "\x8b\x3c\x24\xb8\x3c\x00\x00\x00\x0f\x05"sv},
    // ldr x0,[sp]; mov x8,#93; svc #0
    ElfArchitecture{"arm64", {64, false, EM_AARCH64}, 0, "\xe0\x03\x40\xf9\xa8\x0b\x80\xd2\x01\x00\x00\xd4"sv},
    // ldr r0,[sp]; mov r7,#1; svc #0
    ElfArchitecture{"armel", {32, false, EM_ARM}, 0x05000200, "\x00\x00\x9d\xe5\x01\x70\xa0\xe3\x00\x00\x00\xef"sv},
    ElfArchitecture{"armhf", {32, false, EM_ARM}, 0x05000400, "\x00\x00\x9d\xe5\x01\x70\xa0\xe3\x00\x00\x00\xef"sv},
    ElfArchitecture{"hppa", {32, true, EM_PARISC}, 0, ""sv},
    // mov ebx,[esp]; mov eax,1; int 0x80
    ElfArchitecture{"i386", {32, false, EM_386}, 0, "\x8b\x1c\x24\xb8\x01\x00\x00\x00\xcd\x80"sv},
    // ld.d a0,sp,0; addi.w a7,zero,93; syscall 0
    ElfArchitecture{"loong64", {64, false, 258}, 0x43, "\x64\x00\xc0\x28\x0b\x74\x81\x02\x00\x00\x2b\x00"sv},
    ElfArchitecture{"m68k", {32, true, EM_68K}, 0, ""sv},
    ElfArchitecture{"mips", {32, true, EM_MIPS}, 0x70001007, ""sv},
    // ld a0,0(sp); li v0,5058; syscall
    ElfArchitecture{"mips64el", {64, false, EM_MIPS}, 0x80000007, "\x00\x00\xa4\xdf\xc2\x13\x02\x24\x0c\x00\x00\x00"sv},
    // lw a0,0(sp); li v0,4001; syscall
    ElfArchitecture{"mipsel", {32, false, EM_MIPS}, 0x70001007, "\x00\x00\xa4\x8f\xa1\x0f\x02\x24\x0c\x00\x00\x00"sv},
    // lwz r3,0(r1); li r0,1; sc
    ElfArchitecture{"powerpc", {32, true, EM_PPC}, 0, "\x80\x61\x00\x00\x38\x00\x00\x01\x44\x00\x00\x02"sv},
    // its entry point is the address of a descriptor, so plain instructions do not do
    ElfArchitecture{"ppc64", {64, true, EM_PPC64}, 0, ""sv},
    // ld r3,0(r1); li r0,1; sc
    ElfArchitecture{"ppc64el", {64, false, EM_PPC64}, 2, "\x00\x00\x61\xe8\x01\x00\x00\x38\x02\x00\x00\x44"sv},
    // ld a0,0(sp); li a7,93; ecall
    ElfArchitecture{"riscv64", {64, false, EM_RISCV}, 5, "\x03\x35\x01\x00\x93\x08\xd0\x05\x73\x00\x00\x00"sv},
    // lg %r2,0(%r15); svc 1
    ElfArchitecture{"s390x", {64, true, EM_S390}, 0, "\xe3\x20\xf0\x00\x00\x04\x0a\x01"sv},
    ElfArchitecture{"sh4", {32, false, EM_SH}, 9, ""sv},
    ElfArchitecture{"sparc64", {64, true, EM_SPARCV9}, 0, ""sv},
    // mov edi,[rsp]; mov eax,0x40000000+60; syscall
    ElfArchitecture{"x32", {32, false, EM_X86_64}, 0, "\x8b\x3c\x24\xb8\x3c\x00\x00\x40\x0f\x05"sv},
};

const ElfArchitecture *find(std::string_view name) noexcept {
  const auto *found =
      std::find_if(kArchitectures.begin(), kArchitectures.end(), [&](const auto &each) { return each.name == name; });
  return found == kArchitectures.end() ? nullptr : found;
}

/// Numbers in the byte order of a target.
class TargetWriter {
 public:
  explicit TargetWriter(const ElfIdentity &identity) : identity_(identity) {}

  void number(std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) {
      unsigned shift = 8 * (identity_.is_big_endian ? bytes - 1 - i : i);
      out_ += static_cast<char>((value >> shift) & 0xff);
    }
  }
  /// An address, offset or size: as wide as the target's word.
  void word(std::uint64_t value) { number(value, identity_.word_bits / 8); }
  void raw(std::string_view bytes) { out_ += bytes; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  ElfIdentity identity_;
  std::string out_;
};

void write_identification(TargetWriter &out, const ElfIdentity &identity) {
  out.raw("\177ELF");
  out.number(identity.word_bits == 64 ? ELFCLASS64 : ELFCLASS32, 1);
  out.number(identity.is_big_endian ? ELFDATA2MSB : ELFDATA2LSB, 1);
  out.number(EV_CURRENT, 1);
  out.raw(std::string(9, '\0'));
}

template <class Header, class Segment>
bool has_no_interpreter(std::string_view bytes) noexcept {
  Header header{};
  if (bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.e_phentsize != sizeof(Segment)) return false;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Segment segment{};
    std::uint64_t offset = std::uint64_t{header.e_phoff} + i * sizeof(segment);
    if (offset > bytes.size() || bytes.size() - offset < sizeof(segment)) return false;
    std::memcpy(&segment, bytes.data() + offset, sizeof(segment));
    if (segment.p_type == PT_INTERP) return false;
  }
  return true;
}

}  // namespace

std::optional<ElfIdentity> elf_identity(std::string_view architecture) noexcept {
  const ElfArchitecture *found = find(architecture);
  return found == nullptr ? std::nullopt : std::optional(found->identity);
}

MagicAndMask magic_of(const ElfIdentity &identity) {
  TargetWriter magic(identity);
  write_identification(magic, identity);
  magic.number(ET_EXEC, 2);
  magic.number(identity.machine, 2);
  TargetWriter mask(identity);
  mask.raw(std::string(EI_OSABI, '\xff'));
  mask.raw(std::string(1, '\0'));
  mask.raw(std::string(EI_NIDENT - EI_OSABI - 1, '\xff'));
  mask.number(0xffff & ~(ET_EXEC ^ ET_DYN), 2);
  mask.number(0xffff, 2);
  return {magic.take(), mask.take()};
}

std::optional<std::string> counting_program(std::string_view architecture) {
  const ElfArchitecture *found = find(architecture);
  if (found == nullptr || found->counting.empty()) return std::nullopt;
  constexpr std::uint64_t kBase = 0x400000;
  const ElfIdentity &identity = found->identity;
  bool is_64 = identity.word_bits == 64;
  std::uint64_t header_size = is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
  std::uint64_t segment_size = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  // instructions want to begin at a multiple of their size
  std::uint64_t code_offset = (header_size + segment_size + 15) / 16 * 16;
  std::uint64_t size = code_offset + found->counting.size();

  TargetWriter out(identity);
  write_identification(out, identity);
  out.number(ET_EXEC, 2);
  out.number(identity.machine, 2);
  out.number(EV_CURRENT, 4);
  out.word(kBase + code_offset);
  out.word(header_size);  // e_phoff
  out.word(0);            // e_shoff
  out.number(found->flags, 4);
  out.number(header_size, 2);
  out.number(segment_size, 2);
  for (std::uint16_t value : {1, 0, 0, 0}) out.number(value, 2);  // e_phnum and the empty section table
  out.number(PT_LOAD, 4);
  if (is_64) out.number(PF_R | PF_X, 4);
  for (std::uint64_t value : {std::uint64_t{0}, kBase, kBase, size, size}) out.word(value);
  if (!is_64) out.number(PF_R | PF_X, 4);
  out.word(0x10000);  // p_align: the largest page size among them
  out.raw(std::string(code_offset - header_size - segment_size, '\0'));
  out.raw(found->counting);
  return out.take();
}

bool is_static_program(std::string_view bytes) noexcept {
  if (bytes.size() < EI_NIDENT || !bytes.starts_with("\177ELF")) return false;
  // an emulator is a program of the host, so the host's byte order is the only one to read
  if (bytes[EI_CLASS] == ELFCLASS64) return has_no_interpreter<Elf64_Ehdr, Elf64_Phdr>(bytes);
  return has_no_interpreter<Elf32_Ehdr, Elf32_Phdr>(bytes);
}

}  // namespace debroot::sandbox
