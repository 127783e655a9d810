#include "unpack/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/digest.hpp"

namespace debroot::unpack {
namespace {

/// Writes the bytes of one file with its final owner, mode and time; placing it is then a rename.
void write_body(int directory, StagedEntry &staged, const deb::BodyReader &body, bool takes_digest) {
  const deb::Entry &entry = staged.entry;
  base::Fd fd(::openat(directory, staged.body.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw base::os_error(ErrorKind::output, errno, fmt::format("cannot unpack '{}'", entry.path));
  std::optional<base::Hasher> hasher;
  if (takes_digest) hasher.emplace(base::HashKind::md5);
  for (std::string_view piece = body(); !piece.empty(); piece = body()) {
    if (hasher) hasher->update(piece);
    base::write_all(fd.get(), piece, entry.path);
  }
  if (hasher) staged.md5 = hasher->finish();
  timespec times[2] = {{entry.mtime, 0}, {entry.mtime, 0}};
  bool is_done = ((entry.uid == 0 && entry.gid == 0) || base::is_owner_set(::fchown(fd.get(), entry.uid, entry.gid))) &&
                 ::fchmod(fd.get(), entry.mode) == 0 && ::futimens(fd.get(), times) == 0;
  if (!is_done)
    throw base::os_error(ErrorKind::output, errno, fmt::format("cannot set owner and mode of '{}'", entry.path));
}

/// Digest of an entry before, which a hard link names.
std::string md5_of(const StagedPackage &staged, const std::string &path) {
  auto named = std::find_if(staged.entries.begin(), staged.entries.end(),
                            [&](const StagedEntry &item) { return item.entry.path == path; });
  return named == staged.entries.end() ? std::string() : named->md5;
}

}  // namespace

StagedPackage stage_control(const base::VerifiedFile &package, const std::string &subject) {
  StagedPackage staged;
  staged.subject = subject;
  staged.control = deb::read_control(package, subject);
  return staged;
}

StagedPackage stage_package(const base::VerifiedFile &package, const std::string &subject,
                            const base::RootDirectory &stage, const std::string &name, const PathFilter &filter) {
  StagedPackage staged = stage_control(package, subject);
  stage.make_directories(name, 0700);
  staged.bodies = base::RootDirectory(stage.open_file(name, O_RDONLY | O_DIRECTORY));
  bool takes_digests = staged.control.find("md5sums") == nullptr;
  deb::read_data(package, subject, [&](deb::Entry &&entry, const deb::BodyReader &body) {
    bool is_left_out = filter.skips(entry);
    StagedEntry item{std::move(entry), {}, {}, is_left_out};
    if (item.entry.kind == deb::EntryKind::file && !is_left_out) {
      item.body = std::to_string(staged.entries.size());
      try {
        write_body(staged.bodies.fd(), item, body, takes_digests);
      } catch (Error &error) {
        throw std::move(error.frame(fmt::format("unpacking {}", subject)));
      }
    }
    if (item.entry.kind == deb::EntryKind::hard_link) item.md5 = md5_of(staged, item.entry.link_target);
    staged.entries.push_back(std::move(item));
  });
  // dpkg makes symbolic links last, whatever their place in the archive
  std::stable_partition(staged.entries.begin(), staged.entries.end(),
                        [](const StagedEntry &item) { return item.entry.kind != deb::EntryKind::symlink; });
  return staged;
}

}  // namespace debroot::unpack
