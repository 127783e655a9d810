#include "pack/tar_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace debroot::pack {
namespace {

/// Layout of POSIX ustar; every field is text.
struct UstarBlock {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link_target[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char padding[12];
};
static_assert(sizeof(UstarBlock) == kTarBlockBytes);

constexpr std::size_t kNameBytes = sizeof(UstarBlock::name);

/// Octal digits that fill the field but for its closing NUL; a number too large for that is left to a pax record.
template <std::size_t kSize>
void put_octal(char (&field)[kSize], std::uint64_t value) {
  for (std::size_t i = kSize - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
}

template <std::size_t kSize>
constexpr bool fits_octal(const char (&)[kSize], std::uint64_t value) {
  return value >> (3 * (kSize - 1)) == 0;
}

template <std::size_t kSize>
void put_text(char (&field)[kSize], std::string_view text) {
  std::memcpy(field, text.data(), std::min(kSize, text.size()));
}

/// One pax record, "LENGTH KEY=VALUE\n", where LENGTH counts itself.
void append_record(std::string &records, std::string_view key, std::string_view value) {
  std::size_t rest = key.size() + value.size() + 3;  // blank, '=', line end
  std::size_t length = rest + 1;
  while (rest + fmt::formatted_size("{}", length) != length) length = rest + fmt::formatted_size("{}", length);
  records += fmt::format("{} {}=", length, key);
  records += value;
  records += '\n';
}

/// Key of an attribute's record; '%' and '=' are written as GNU tar writes and reads them, '=' ending the key
/// otherwise.
std::string attribute_key(std::string_view name) {
  std::string key = "SCHILY.xattr.";
  for (char c : name) {
    if (c == '%') {
      key += "%25";
    } else if (c == '=') {
      key += "%3D";
    } else {
      key += c;
    }
  }
  return key;
}

std::string pax_records(const TreeEntry &entry, const UstarBlock &block) {
  std::string records;
  if (entry.path.size() > kNameBytes) append_record(records, "path", entry.path);
  if (entry.link_target.size() > kNameBytes) append_record(records, "linkpath", entry.link_target);
  if (!fits_octal(block.size, entry.size_bytes)) append_record(records, "size", std::to_string(entry.size_bytes));
  if (!fits_octal(block.uid, entry.uid)) append_record(records, "uid", std::to_string(entry.uid));
  if (!fits_octal(block.gid, entry.gid)) append_record(records, "gid", std::to_string(entry.gid));
  if (entry.mtime_seconds < 0 || !fits_octal(block.mtime, static_cast<std::uint64_t>(entry.mtime_seconds))) {
    append_record(records, "mtime", std::to_string(entry.mtime_seconds));
  }
  for (const base::ExtendedAttribute &attribute : entry.attributes) {
    append_record(records, attribute_key(attribute.name), attribute.value);
  }
  return records;
}

/// POSIX.1-2001, "ustar Interchange Format".
char type_flag(EntryType type) {
  switch (type) {
    case EntryType::file:
      return '0';
    case EntryType::hard_link:
      return '1';
    case EntryType::symbolic_link:
      return '2';
    case EntryType::character_device:
      return '3';
    case EntryType::block_device:
      return '4';
    case EntryType::directory:
      return '5';
    case EntryType::fifo:
      return '6';
  }
  return '0';
}

UstarBlock ustar_block(const TreeEntry &entry) {
  UstarBlock block{};
  put_text(block.name, entry.path);
  put_octal(block.mode, entry.mode);
  put_octal(block.uid, fits_octal(block.uid, entry.uid) ? entry.uid : 0);
  put_octal(block.gid, fits_octal(block.gid, entry.gid) ? entry.gid : 0);
  put_octal(block.size, fits_octal(block.size, entry.size_bytes) ? entry.size_bytes : 0);
  std::uint64_t mtime = entry.mtime_seconds < 0 ? 0 : static_cast<std::uint64_t>(entry.mtime_seconds);
  put_octal(block.mtime, fits_octal(block.mtime, mtime) ? mtime : 0);
  block.type = type_flag(entry.type);
  put_text(block.link_target, entry.link_target);
  put_text(block.magic, "ustar");
  put_text(block.version, "00");
  bool has_no_numbers = entry.is_handmade && entry.type != EntryType::character_device;
  if (!has_no_numbers) {
    put_octal(block.device_major, entry.device_major);
    put_octal(block.device_minor, entry.device_minor);
  }
  return block;
}

void append_block(std::string &out, UstarBlock block) {
  std::memset(block.checksum, ' ', sizeof(block.checksum));
  const unsigned char *bytes = reinterpret_cast<const unsigned char *>(&block);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < sizeof(block); ++i) sum += bytes[i];
  char digits[7] = {};
  put_octal(digits, sum);
  std::memcpy(block.checksum, digits, sizeof(digits));  // six digits, NUL, and the blank that is there
  out.append(reinterpret_cast<const char *>(&block), sizeof(block));
}

/// Name of the pax header of `path`: "./bin/PaxHeaders/ping". Only readers that do not know pax ever see it.
std::string pax_header_name(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "./PaxHeaders/" + path;
  return path.substr(0, slash) + "/PaxHeaders/" + path.substr(slash + 1);
}

}  // namespace

std::string tar_header(const TreeEntry &entry, std::int64_t epoch_seconds) {
  std::string out;
  UstarBlock block = ustar_block(entry);
  std::string records = pax_records(entry, block);
  if (!records.empty()) {
    TreeEntry header;
    header.path = pax_header_name(entry.path);
    header.mode = 0644;
    header.size_bytes = records.size();
    header.mtime_seconds = epoch_seconds;
    UstarBlock pax_block = ustar_block(header);
    pax_block.type = 'x';
    std::memset(pax_block.device_major, 0, sizeof(pax_block.device_major));
    std::memset(pax_block.device_minor, 0, sizeof(pax_block.device_minor));
    append_block(out, pax_block);
    out += records;
    out.append((kTarBlockBytes - records.size() % kTarBlockBytes) % kTarBlockBytes, '\0');
  }
  append_block(out, block);
  return out;
}

}  // namespace debroot::pack
