#include "verify/keyring.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/beneath.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "bundled_keyrings.hpp"
#include "debroot/error.hpp"
#include "verify/key_packets.hpp"

namespace debroot::verify {
namespace {

constexpr std::uint64_t kKeyringLimitBytes = std::uint64_t{64} << 20;

std::string counted(std::size_t count) { return fmt::format("{} {}", count, count == 1 ? "key" : "keys"); }

std::string read_keyring_file(const std::string &path) {
  try {
    return base::read_file(path, kKeyringLimitBytes);
  } catch (const Error &error) {
    std::string_view cause = error.message();
    std::size_t colon = cause.rfind(": ");
    if (colon != std::string_view::npos) cause.remove_prefix(colon + 2);
    throw Error(ErrorKind::trust, fmt::format("cannot read keyring '{}': {}", path, cause));
  }
}

bool is_keyring_name(std::string_view name) noexcept {
  return name.ends_with(".gpg") || name.ends_with(".pgp") || name.ends_with(".asc");
}

}  // namespace

Keyring Keyring::from_bytes(std::string_view bytes, std::string origin) {
  Keyring out;
  try {
    for (const Certificate &certificate : read_certificates(bytes)) out.add_certificate(certificate);
  } catch (const Error &error) {
    throw Error(ErrorKind::trust, fmt::format("cannot read keyring '{}': {}", origin, error.message()));
  }
  out.origins_.push_back(fmt::format("{} ({})", origin, counted(out.keys_.size())));
  return out;
}

Keyring Keyring::from_path(const std::string &path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    throw base::os_error(ErrorKind::trust, errno, fmt::format("cannot read keyring '{}'", path));
  }
  if (!S_ISDIR(info.st_mode)) return from_bytes(read_keyring_file(path), path);
  base::Fd directory = base::open_file(path, O_RDONLY | O_DIRECTORY);
  Keyring out;
  for (const std::string &name : base::list_directory(directory.get())) {
    std::string file = fmt::format("{}{}{}", path, path.ends_with('/') ? "" : "/", name);
    if (is_keyring_name(name)) out.add(from_bytes(read_keyring_file(file), file));
  }
  if (out.empty()) {
    throw Error(ErrorKind::trust, fmt::format("cannot read keyring '{}': no *.gpg, *.pgp or *.asc file in it", path));
  }
  return out;
}

Keyring Keyring::from_signed_by(std::string_view value, std::string origin) {
  std::string text;
  for (std::string_view line : base::split(value, '\n')) {
    line = base::trim(line);
    if (line != ".") text += line;
    text += '\n';
  }
  return from_bytes(text, std::move(origin));
}

Keyring Keyring::bundled(std::string_view name) {
  for (const BundledKeyring &keyring : bundled_keyrings()) {
    if (keyring.name == name) return from_bytes(keyring.bytes, fmt::format("built-in {}", name));
  }
  throw Error(ErrorKind::internal, fmt::format("no keyring '{}' is built in", name));
}

bool Keyring::holds_all_keys_of(const Keyring &other) const {
  std::vector<std::string_view> held;
  for (const Certificate &certificate : keys_) {
    for (const Component &component : certificate) held.push_back(component.packet);
  }
  std::sort(held.begin(), held.end());
  return std::all_of(other.keys_.begin(), other.keys_.end(), [&](const Certificate &certificate) {
    return std::all_of(certificate.begin(), certificate.end(), [&](const Component &component) {
      return !is_key_packet(component.packet) || std::binary_search(held.begin(), held.end(), component.packet);
    });
  });
}

void Keyring::add(const Keyring &other) {
  for (const Certificate &certificate : other.keys_) add_certificate(certificate);
  origins_.insert(origins_.end(), other.origins_.begin(), other.origins_.end());
}

void Keyring::add_certificate(const Certificate &certificate) {
  auto known = std::find_if(keys_.begin(), keys_.end(), [&](const Certificate &other) {
    return other.front().packet == certificate.front().packet;
  });
  if (known == keys_.end()) {
    keys_.push_back(certificate);
  } else {
    merge_certificate(*known, certificate);
  }
}

std::string Keyring::description() const {
  return origins_.empty() ? std::string("no keyring") : base::join(origins_, ", ");
}

std::string Keyring::bytes() const {
  std::string out;
  for (const Certificate &certificate : keys_) {
    for (const Component &component : certificate) {
      out += component.packet;
      for (const std::string &signature : component.signatures) out += signature;
    }
  }
  return out;
}

Keyring vendor_keyring(std::string_view vendor, RemovedKeys removed, const std::string &host_directory) {
  Keyring out;
  if (vendor.empty() || vendor.find('/') != std::string_view::npos) return out;
  std::vector<std::string> names = {fmt::format("{}-archive-keyring", vendor)};
  if (removed == RemovedKeys::with) names.push_back(fmt::format("{}-archive-removed-keys", vendor));
  const std::vector<BundledKeyring> built_in = bundled_keyrings();
  for (const std::string &name : names) {
    bool is_built_in = std::any_of(built_in.begin(), built_in.end(),
                                   [&](const BundledKeyring &keyring) { return keyring.name == name; });
    if (is_built_in) out.add(Keyring::bundled(name));
    for (const char *suffix : {".gpg", ".pgp"}) {
      std::string path = fmt::format("{}/{}{}", host_directory, name, suffix);
      if (std::filesystem::exists(path)) out.add(Keyring::from_path(path));
    }
  }
  return out;
}

}  // namespace debroot::verify
