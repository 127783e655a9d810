/// Reads one binary package (deb(5)): an ar archive of debian-binary, control.tar and data.tar.
///
/// Takes only files whose digest was checked, yet bounds everything: a damaged or hostile package ends in an Error
/// that names the package and the member.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/trust.hpp"

namespace debroot::deb {

/// Kinds of entries that a data.tar may hold.
enum class EntryKind { file, directory, symlink, hard_link, character_device, block_device, fifo };

/// One entry of a data.tar. Extended attributes and ACLs of the archive are never looked at: dpkg does not apply them.
struct Entry {
  EntryKind kind = EntryKind::file;
  std::string path;        ///< "/usr/bin/x"; "/" for the archive's own "./"; never holds ".." or a trailing slash
  std::uint32_t mode = 0;  ///< permission bits, setuid and sticky included
  std::uint32_t uid = 0;   ///< as the archive has it
  std::uint32_t gid = 0;
  std::string user;  ///< name, which wins over the number where the root knows it (dpkg's tar reader)
  std::string group;
  std::int64_t mtime = 0;   ///< seconds
  std::string link_target;  ///< of a symlink as it stands; of a hard link a path like `path`
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t size_bytes = 0;
};

/// Gives the bytes of the entry at hand, piece by piece; an empty piece is the end.
using BodyReader = std::function<std::string_view()>;

/// One file of control.tar.
struct ControlFile {
  std::string name;  ///< "postinst"
  std::string content;
  std::uint32_t mode = 0644;
  std::int64_t mtime = 0;  ///< seconds
};

/// Everything of control.tar.
struct ControlArchive {
  std::vector<ControlFile> files;  ///< "control" among them, in archive order

  [[nodiscard]] const ControlFile *find(std::string_view name) const noexcept;
};

/// Limits beyond which a package is refused.
inline constexpr std::uint64_t kMaxControlBytes = std::uint64_t{64} << 20;
inline constexpr std::size_t kMaxControlFiles = 1024;
inline constexpr std::size_t kMaxEntries = 4'000'000;

/// Reads control.tar. `subject` ("bash_5.2_amd64") names the package in errors. @throws Error of kind package
[[nodiscard]] ControlArchive read_control(const base::VerifiedFile &package, std::string_view subject);

/// Calls `visit` for each entry of data.tar in order; the reader it is given is good only during the call and only for
/// entries of kind file. @throws Error of kind package, or what `visit` throws
void read_data(const base::VerifiedFile &package, std::string_view subject,
               const std::function<void(Entry &&entry, const BodyReader &body)> &visit);

}  // namespace debroot::deb
