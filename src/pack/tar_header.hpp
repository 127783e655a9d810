/// The bytes of tar headers: POSIX pax interchange format in the shape that GNU tar writes.
///
/// Written here and not by libarchive because an image must be the same bytes whatever the library's version and the
/// locale, and must be read by every reader: libarchive percent-encodes attribute names beyond plain ASCII (GNU tar,
/// which systemd's importer runs, does not decode them) and adds a `hdrcharset` record to each name that its locale
/// cannot say (GNU tar complains about each).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/xattr.hpp"

namespace debroot::pack {

/// Type flag of a tar header (POSIX.1-2001, "ustar Interchange Format").
enum class TarType : char {
  file = '0',
  hard_link = '1',
  symbolic_link = '2',
  character_device = '3',
  block_device = '4',
  directory = '5',
  fifo = '6',
};

/// Size of a tar block; content is padded to it with zeros.
inline constexpr std::size_t kTarBlockBytes = 512;
/// A tar is padded to a multiple of this, as GNU tar does.
inline constexpr std::size_t kTarRecordBytes = 20 * kTarBlockBytes;

/// One member of a tar.
struct TarEntry {
  std::string path;  ///< "./etc/passwd"; directories end in '/'
  TarType type = TarType::file;
  mode_t mode = 0;  ///< permission bits only (07777)
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size_bytes = 0;    ///< of the content that follows; 0 for all but files
  std::int64_t mtime_seconds = 0;  ///< since 1970
  std::string link_target;         ///< of a symbolic link, or path of the member that a hard link shares
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::vector<base::ExtendedAttribute> attributes;  ///< written in this order
};

/// Header blocks of one member: the ustar header, after a pax header where a value does not fit (names over 100 bytes,
/// numbers beyond their octal fields, times before 1970) or has no field (attributes, as `SCHILY.xattr.NAME`). User and
/// group names are empty; there is no access or change time, no device, no inode number. The pax header itself has the
/// time `epoch_seconds`.
///
/// Names are bytes. Short ones stand only in the ustar header even when they are not ASCII: that is extracted as it is
/// everywhere, while a `path` record is UTF-8 by definition and gets converted, or warned about, in other locales.
[[nodiscard]] std::string tar_header(const TarEntry &entry, std::int64_t epoch_seconds);

}  // namespace debroot::pack
