#include "twins/elf_file.hpp"

#include <elf.h>

#include <bit>
#include <cstdint>
#include <cstring>

namespace debroot::twins {
namespace {

struct Class64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Dynamic = Elf64_Dyn;
};
struct Class32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Dynamic = Elf32_Dyn;
};

template <class Record>
bool read_record(std::string_view bytes, std::uint64_t offset, Record &out) noexcept {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(out)) return false;
  std::memcpy(&out, bytes.data() + offset, sizeof(out));
  return true;
}

/// The string that begins at `offset`; nothing when it does not end within the file.
std::optional<std::string> string_at(std::string_view bytes, std::uint64_t offset) {
  if (offset >= bytes.size()) return std::nullopt;
  std::size_t end = bytes.find('\0', offset);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(bytes.substr(offset, end - offset));
}

/// One file of one class.
template <class Class>
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<ElfFile> read() {
    if (!read_segments()) return std::nullopt;
    ElfFile out;
    for (const typename Class::Segment &segment : segments_) {
      if (segment.p_type == PT_INTERP) {
        std::optional<std::string> path = string_at(bytes_, segment.p_offset);
        if (!path) return std::nullopt;
        out.interpreter = *path;
      }
      if (segment.p_type == PT_DYNAMIC && !read_needed(segment, out.needed)) return std::nullopt;
    }
    return out;
  }

 private:
  bool read_segments() {
    typename Class::Header header{};
    if (!read_record(bytes_, 0, header) || header.e_phentsize != sizeof(typename Class::Segment)) return false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      typename Class::Segment segment{};
      if (!read_record(bytes_, std::uint64_t{header.e_phoff} + i * sizeof(segment), segment)) return false;
      segments_.push_back(segment);
    }
    return true;
  }

  /// Where in the file the byte lies that is loaded at `address`.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const noexcept {
    for (const typename Class::Segment &segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      if (address - segment.p_vaddr < segment.p_filesz) return segment.p_offset + (address - segment.p_vaddr);
    }
    return std::nullopt;
  }

  bool read_needed(const typename Class::Segment &table, std::vector<std::string> &needed) const {
    std::vector<std::uint64_t> names;
    std::optional<std::uint64_t> strings;
    for (std::uint64_t at = 0; at + sizeof(typename Class::Dynamic) <= table.p_filesz;
         at += sizeof(typename Class::Dynamic)) {
      typename Class::Dynamic entry{};
      if (!read_record(bytes_, table.p_offset + at, entry)) return false;
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_NEEDED) names.push_back(entry.d_un.d_val);
      if (entry.d_tag == DT_STRTAB) strings = offset_of(entry.d_un.d_ptr);
    }
    if (names.empty()) return true;
    if (!strings) return false;
    for (std::uint64_t name : names) {
      std::optional<std::string> text = string_at(bytes_, *strings + name);
      if (!text) return false;
      needed.push_back(std::move(*text));
    }
    return true;
  }

  std::string_view bytes_;
  std::vector<typename Class::Segment> segments_;
};

}  // namespace

bool has_identity(std::string_view bytes, const sandbox::ElfIdentity &identity) noexcept {
  sandbox::MagicAndMask expected = sandbox::magic_of(identity);
  if (bytes.size() < expected.magic.size()) return false;
  for (std::size_t i = 0; i < expected.magic.size(); ++i) {
    if (((bytes[i] ^ expected.magic[i]) & expected.mask[i]) != 0) return false;
  }
  return true;
}

std::optional<ElfFile> read_elf(std::string_view bytes, const sandbox::ElfIdentity &identity) {
  bool is_host_order = identity.is_big_endian == (std::endian::native == std::endian::big);
  if (!is_host_order || !has_identity(bytes, identity)) return std::nullopt;
  if (identity.word_bits == 64) return Reader<Class64>(bytes).read();
  return Reader<Class32>(bytes).read();
}

}  // namespace debroot::twins
