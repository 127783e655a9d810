#include "build/program_identity.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "debroot/version.hpp"

namespace debroot::build {
namespace {

/// The build id among the notes at `begin`, in hexadecimal.
std::string build_id_in(const char *begin, std::size_t size) {
  constexpr std::size_t kAlignment = 4;
  auto padded = [](std::size_t length) { return (length + kAlignment - 1) / kAlignment * kAlignment; };
  std::string out;
  for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
    ElfW(Nhdr) note{};
    std::memcpy(&note, begin + at, sizeof(note));
    std::size_t name_at = at + sizeof(note);
    std::size_t id_at = name_at + padded(note.n_namesz);
    std::size_t next = id_at + padded(note.n_descsz);
    if (next > size || next <= at) break;
    bool is_build_id =
        note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(begin + name_at, "GNU", 4) == 0;
    for (std::size_t i = 0; is_build_id && i < note.n_descsz; ++i) {
      out += fmt::format("{:02x}", static_cast<unsigned char>(begin[id_at + i]));
    }
    if (is_build_id) break;
    at = next;
  }
  return out;
}

/// Called for every loaded object, the program first.
int look_at_program(dl_phdr_info *info, std::size_t, void *result) {
  auto &id = *static_cast<std::string *>(result);
  for (int i = 0; i < info->dlpi_phnum && id.empty(); ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // the address is a number where the loader says it
    const auto *notes =
        reinterpret_cast<const char *>(info->dlpi_addr + segment.p_vaddr);  // NOLINT(performance-no-int-to-ptr)
    id = build_id_in(notes, segment.p_memsz);
  }
  return 1;
}

}  // namespace

std::string program_identity() {
  std::string id;
  ::dl_iterate_phdr(look_at_program, &id);
  if (id.empty()) {
    base::Fd program = base::open_file("/proc/self/exe", O_RDONLY);
    id = base::hash_of_file(base::HashKind::sha256, program.get());
  }
  return fmt::format("{} {}", kVersion, id);
}

}  // namespace debroot::build
