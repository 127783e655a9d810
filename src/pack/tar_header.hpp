/// The bytes of tar headers: POSIX pax interchange format in the shape that GNU tar writes.
///
/// Written here and not by libarchive because an image must be the same bytes whatever the library's version and the
/// locale, and must be read by every reader: libarchive percent-encodes attribute names beyond plain ASCII (GNU tar,
/// which systemd's importer runs, does not decode them) and adds a `hdrcharset` record to each name that its locale
/// cannot say (GNU tar complains about each).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "pack/tree_sink.hpp"

namespace debroot::pack {

/// Size of a tar block; content is padded to it with zeros.
inline constexpr std::size_t kTarBlockBytes = 512;
/// A tar is padded to a multiple of this, as GNU tar does.
inline constexpr std::size_t kTarRecordBytes = 20 * kTarBlockBytes;

/// Header blocks of one member: the ustar header, after a pax header where a value does not fit (names over 100 bytes,
/// numbers beyond their octal fields, times before 1970) or has no field (attributes, as `SCHILY.xattr.NAME`). User and
/// group names are empty; there is no access or change time, no device, no inode number. The pax header itself has the
/// time `epoch_seconds`.
///
/// Names are bytes. Short ones stand only in the ustar header even when they are not ASCII: that is extracted as it is
/// everywhere, while a `path` record is UTF-8 by definition and gets converted, or warned about, in other locales.
[[nodiscard]] std::string tar_header(const TreeEntry &entry, std::int64_t epoch_seconds);

}  // namespace debroot::pack
