/// The smallest files that look like dynamically linked programs and libraries of amd64, made by code.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

namespace debroot::twins::test {

/// What stands in such a file.
struct ElfBytes {
  std::string interpreter = {};  ///< empty: a library
  std::vector<std::string> needed = {};
  std::string text = {};  ///< further bytes, as of string constants
  std::uint16_t machine = EM_X86_64;
};

template <class Record>
void append(std::string &out, const Record &record) {
  out.append(reinterpret_cast<const char *>(&record), sizeof(record));
}

inline Elf64_Phdr segment(std::uint32_t type, std::uint64_t offset, std::uint64_t address, std::uint64_t size) {
  Elf64_Phdr out{};
  out.p_type = type;
  out.p_offset = offset;
  out.p_vaddr = address;
  out.p_filesz = size;
  out.p_memsz = size;
  return out;
}

/// Header, three segments (one is unused in a library), then loader, strings, the dynamic table and `text`.
inline std::string make_elf(const ElfBytes &wanted) {
  constexpr std::uint64_t kBase = 0x10000;
  std::string strings(1, '\0');
  std::vector<Elf64_Dyn> table;
  for (const std::string &name : wanted.needed) {
    table.push_back({DT_NEEDED, {strings.size()}});
    strings += name + '\0';
  }
  std::string interpreter = wanted.interpreter.empty() ? std::string() : wanted.interpreter + '\0';
  std::uint64_t at_interpreter = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
  std::uint64_t at_strings = at_interpreter + interpreter.size();
  std::uint64_t at_table = at_strings + strings.size();
  table.push_back({DT_STRTAB, {kBase + at_strings}});
  table.push_back({DT_NULL, {0}});
  std::uint64_t size = at_table + table.size() * sizeof(Elf64_Dyn) + wanted.text.size();

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = wanted.machine;
  header.e_phoff = sizeof(Elf64_Ehdr);
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  std::string out;
  append(out, header);
  append(out, interpreter.empty() ? segment(PT_NULL, 0, 0, 0)
                                  : segment(PT_INTERP, at_interpreter, kBase + at_interpreter, interpreter.size()));
  append(out, segment(PT_LOAD, 0, kBase, size));
  append(out, segment(PT_DYNAMIC, at_table, kBase + at_table, table.size() * sizeof(Elf64_Dyn)));
  out += interpreter + strings;
  for (const Elf64_Dyn &entry : table) append(out, entry);
  return out + wanted.text;
}

}  // namespace debroot::twins::test
