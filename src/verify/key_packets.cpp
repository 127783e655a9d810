#include "verify/key_packets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/text.hpp"
#include "debroot/error.hpp"

namespace debroot::verify {
namespace {

constexpr std::string_view kArmorBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
constexpr std::string_view kArmorEnd = "-----END PGP PUBLIC KEY BLOCK-----";

// packet tags, RFC 4880 section 4.3
constexpr unsigned kSignature = 2;
constexpr unsigned kSecretKey = 5;
constexpr unsigned kPublicKey = 6;
constexpr unsigned kUserId = 13;
constexpr unsigned kPublicSubkey = 14;
constexpr unsigned kUserAttribute = 17;

[[noreturn]] void refuse(const char *cause) { throw Error(ErrorKind::trust, cause); }

unsigned byte_at(std::string_view bytes, std::size_t at) {
  if (at >= bytes.size()) refuse("key data is cut off");
  return static_cast<unsigned char>(bytes[at]);
}

/// Unsigned big-endian number of `width` bytes.
std::size_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | byte_at(bytes, at + i);
  return value;
}

struct Packet {
  unsigned tag = 0;
  std::string_view body;
};

/// Takes one packet off `rest`.
Packet take_packet(std::string_view &rest) {
  unsigned head = byte_at(rest, 0);
  if ((head & 0x80) == 0) refuse("no OpenPGP public key in it");
  Packet packet;
  std::size_t header = 0;
  std::size_t length = 0;
  if ((head & 0x40) != 0) {
    packet.tag = head & 0x3f;
    unsigned first = byte_at(rest, 1);
    if (first < 192) {
      header = 2, length = first;
    } else if (first < 224) {
      header = 3, length = ((std::size_t{first} - 192) << 8) + byte_at(rest, 2) + 192;
    } else if (first == 255) {
      header = 6, length = number_at(rest, 2, 4);
    } else {
      refuse("key packet of unknown length");
    }
  } else {
    packet.tag = (head >> 2) & 0x0f;
    if ((head & 3) == 3) refuse("key packet of unknown length");
    std::size_t width = std::size_t{1} << (head & 3);
    header = 1 + width, length = number_at(rest, 1, width);
  }
  if (length > rest.size() - header) refuse("key data is cut off");
  packet.body = rest.substr(header, length);
  rest.remove_prefix(header + length);
  return packet;
}

void put_number(std::string &out, std::size_t value, std::size_t width) {
  for (std::size_t i = width; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// The packet with the header that gpg itself writes: old format where the tag fits.
std::string encode(const Packet &packet) {
  std::string out;
  std::size_t size = packet.body.size();
  if (packet.tag < 16) {
    unsigned kind = size < 0x100 ? 0 : size < 0x10000 ? 1 : 2;
    out += static_cast<char>(0x80 | packet.tag << 2 | kind);
    put_number(out, size, std::size_t{1} << kind);
  } else {
    out += static_cast<char>(0xc0 | packet.tag);
    out += '\xff';
    put_number(out, size, 4);
  }
  out += packet.body;
  return out;
}

std::vector<Keyring::Certificate> read_packets(std::string_view bytes) {
  std::vector<Keyring::Certificate> out;
  while (!bytes.empty()) {
    Packet packet = take_packet(bytes);
    switch (packet.tag) {
      case kPublicKey:
        out.push_back({{encode(packet), {}}});
        break;
      case kUserId:
      case kUserAttribute:
      case kPublicSubkey:
        if (out.empty()) refuse("key data does not begin with a key");
        out.back().push_back({encode(packet), {}});
        break;
      case kSignature:
        if (out.empty()) refuse("key data does not begin with a key");
        out.back().back().signatures.push_back(encode(packet));
        break;
      case kSecretKey:
        refuse("it holds a secret key");
      default:
        break;
    }
  }
  return out;
}

int base64_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

/// Appends what one line of base64 stands for.
void decode_base64(std::string_view line, std::uint32_t &bits, unsigned &bit_count, std::string &out) {
  for (char c : line) {
    if (c == '=') return;
    int value = base64_value(c);
    if (value < 0) refuse("its armor is damaged");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out += static_cast<char>(bits >> bit_count & 0xff);
    }
  }
}

/// The bytes of every public key block in `text`. The checksum line is not looked at: it guards against accidents of
/// transport, and a damaged key verifies nothing.
std::string dearmor(std::string_view text) {
  std::string out;
  while (true) {
    std::size_t begin = text.find(kArmorBegin);
    if (begin == std::string_view::npos) return out;
    text.remove_prefix(begin + kArmorBegin.size());
    std::size_t end = text.find(kArmorEnd);
    if (end == std::string_view::npos) refuse("its armor is cut off");
    bool is_in_header = true;
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    std::vector<std::string_view> lines = base::split(text.substr(0, end), '\n');
    for (std::size_t i = 1; i < lines.size(); ++i) {  // the first is what stands behind the BEGIN line
      std::string_view line = base::trim(lines[i]);
      if (is_in_header) {
        is_in_header = !line.empty();
      } else if (!line.starts_with('=')) {
        decode_base64(line, bits, bit_count, out);
      }
    }
    text.remove_prefix(end + kArmorEnd.size());
  }
}

bool is_keybox(std::string_view bytes) noexcept { return bytes.size() > 32 && bytes.substr(8, 4) == "KBXf"; }

/// The key blocks of a keybox: each blob begins with its length (4 bytes), type (1), version (1), flags (2), and the
/// offset and length of its key block (4 each); type 2 is OpenPGP.
std::string unbox(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    std::size_t length = number_at(bytes, 0, 4);
    if (length < 5 || length > bytes.size()) refuse("keybox is damaged");
    std::string_view blob = bytes.substr(0, length);
    if (byte_at(blob, 4) == 2) {
      std::size_t offset = number_at(blob, 8, 4);
      std::size_t size = number_at(blob, 12, 4);
      if (offset > blob.size() || size > blob.size() - offset) refuse("keybox is damaged");
      out += blob.substr(offset, size);
    }
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace

bool is_key_packet(std::string_view packet) noexcept {
  // encode() writes the old format for both tags
  unsigned head = packet.empty() ? 0 : static_cast<unsigned char>(packet.front());
  unsigned tag = (head >> 2) & 0x0f;
  return (head & 0xc0) == 0x80 && (tag == kPublicKey || tag == kPublicSubkey);
}

std::vector<Keyring::Certificate> read_certificates(std::string_view bytes) {
  std::vector<Keyring::Certificate> out;
  if (is_keybox(bytes)) {
    out = read_packets(unbox(bytes));
  } else if (bytes.find(kArmorBegin) != std::string_view::npos) {
    out = read_packets(dearmor(bytes));
  } else {
    out = read_packets(bytes);
  }
  if (out.empty()) refuse("no OpenPGP public key in it");
  return out;
}

void merge_certificate(Keyring::Certificate &into, const Keyring::Certificate &from) {
  for (const Keyring::Component &component : from) {
    auto known = std::find_if(into.begin(), into.end(),
                              [&](const Keyring::Component &other) { return other.packet == component.packet; });
    if (known == into.end()) {
      // user ids stand before subkeys; gpg wants that order
      bool is_subkey = (static_cast<unsigned char>(component.packet[0]) >> 2 & 0x0f) == kPublicSubkey &&
                       (static_cast<unsigned char>(component.packet[0]) & 0x40) == 0;
      into.insert(is_subkey ? into.end() : into.begin() + 1, component);
      continue;
    }
    for (const std::string &signature : component.signatures) {
      auto &have = known->signatures;
      if (std::find(have.begin(), have.end(), signature) == have.end()) have.push_back(signature);
    }
  }
}

}  // namespace debroot::verify
