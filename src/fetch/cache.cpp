#include "fetch/cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/digest.hpp"
#include "base/host_file.hpp"
#include "base/text.hpp"

namespace debroot::fetch {

namespace {

constexpr std::uint64_t kMostValidatorBytes = std::uint64_t{64} * 1024;

Error unusable(int errno_value, const std::string &directory) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot use the cache directory '{}'", directory))
      .hint("--cache=DIR with a directory that can be written, or --no-cache");
}

/// A file without a name in `directory`; filesystems that know no O_TMPFILE get a name for a moment.
base::Fd make_unnamed_in(const std::string &directory) {
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
  if (fd >= 0) return base::Fd(fd);
  std::string path = directory + "/debroot-fetch-XXXXXX";
  fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) {
    throw base::os_error(ErrorKind::output, errno, fmt::format("cannot make a temporary file in '{}'", directory));
  }
  ::unlink(path.c_str());
  return base::Fd(fd);
}

bool is_same_file(int fd, const std::string &path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

/// A header's value as it may stand in a line of the validators file.
std::string one_line(std::string_view value) { return std::string(value.substr(0, value.find_first_of("\r\n"))); }

}  // namespace

PartialFile::~PartialFile() {
  struct stat info {};
  // safe, since the lock is held: whoever opened it meanwhile finds after locking that the name is gone, and starts
  // anew
  if (fd_ && !path_.empty() && ::fstat(fd_.get(), &info) == 0 && info.st_size == 0 && is_same_file(fd_.get(), path_)) {
    ::unlink(path_.c_str());
  }
}

Cache::Cache(const CachePlan &plan, std::string temporary_directory)
    : directory_(plan.directory),
      is_offline_(plan.is_offline),
      temporary_directory_(temporary_directory.empty() ? "/tmp" : std::move(temporary_directory)) {
  if (directory_.empty() || is_offline_) return;
  for (const char *part : {"/files/sha256", "/partial", "/releases"}) {
    std::string path = directory_ + part;
    int failure = base::make_private_directories(path);
    if (failure == 0 && ::access(path.c_str(), R_OK | W_OK | X_OK) != 0) failure = errno;
    if (failure == 0) continue;
    if (!plan.is_optional) throw unusable(failure, directory_);
    directory_.clear();
    return;
  }
}

std::string Cache::file_path(const std::string &sha256) const {
  return fmt::format("{}/files/sha256/{}/{}", directory_, sha256.substr(0, 2), sha256);
}

std::string Cache::partial_path(const std::string &sha256) const {
  return fmt::format("{}/partial/{}", directory_, sha256);
}

std::string Cache::release_path(const std::string &url) const {
  return fmt::format("{}/releases/{}", directory_, base::hash_of(base::HashKind::sha256, url));
}

std::optional<base::Fd> Cache::take(const std::string &sha256, std::uint64_t *size_bytes) const {
  if (!keeps_files()) return std::nullopt;
  std::string path = file_path(sha256);
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  try {
    if (base::hash_of_file(base::HashKind::sha256, fd.get(), size_bytes) == sha256) {
      if (!is_offline_) ::futimens(fd.get(), nullptr);  // when it was used last, for whoever prunes
      return fd;
    }
  } catch (const Error &) {
    // a file that cannot be read is as useless as one with the wrong content
  }
  if (is_same_file(fd.get(), path)) ::unlink(path.c_str());
  return std::nullopt;
}

std::optional<PartialFile> Cache::try_lock_partial(const std::string &sha256) const {
  if (!keeps_files()) return make_unnamed();
  std::string path = partial_path(sha256);
  while (true) {
    base::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) throw unusable(errno, directory_);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      return make_unnamed();  // a filesystem without locks
    }
    // its writer may have published or removed it between our open and our lock
    if (is_same_file(fd.get(), path)) return PartialFile(std::move(fd), std::move(path));
  }
}

std::uint64_t Cache::partial_size(const std::string &sha256) const noexcept {
  struct stat info {};
  if (::stat(partial_path(sha256).c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.st_size);
}

PartialFile Cache::make_unnamed() const {
  return {make_unnamed_in(keeps_files() ? directory_ + "/partial" : temporary_directory_), {}};
}

base::Fd Cache::publish(PartialFile file, const std::string &sha256) const {
  if (keeps_files()) {
    std::string path = file_path(sha256);
    std::string parent = path.substr(0, path.rfind('/'));
    if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) throw unusable(errno, directory_);
    if (!file.path().empty()) {
      // pruned meanwhile: used all the same, just not kept
      if (::rename(file.path().c_str(), path.c_str()) != 0 && errno != ENOENT) throw unusable(errno, directory_);
    } else {
      // best effort: without /proc or O_TMPFILE the file is used all the same, just not kept
      static_cast<void>(base::link_unnamed(file.fd().get(), AT_FDCWD, path));
    }
    // a description of its own: it carries no lock and cannot write
    base::Fd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (reader && is_same_file(file.fd().get(), path)) return reader;
  }
  base::Fd fd = std::move(file).take();
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::optional<KeptRelease> Cache::take_release(const std::string &url) const {
  if (!keeps_files()) return std::nullopt;
  std::string path = release_path(url);
  base::Fd body(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!body) return std::nullopt;
  try {
    KeptRelease kept;
    std::string sha256;
    std::string text = base::read_file(path + ".validators", kMostValidatorBytes);
    for (std::string_view line : base::split(text, '\n')) {
      std::size_t colon = line.find(": ");
      if (colon == std::string_view::npos) continue;
      std::string_view label = line.substr(0, colon);
      std::string value(line.substr(colon + 2));
      if (label == "sha256") sha256 = value;
      if (label == "etag") kept.validators.etag = value;
      if (label == "last-modified") kept.validators.last_modified = value;
    }
    if (base::hash_of_file(base::HashKind::sha256, body.get(), &kept.size_bytes) != sha256) return std::nullopt;
    if (!is_offline_) {
      for (const std::string &name : {path, path + ".validators"}) ::utimensat(AT_FDCWD, name.c_str(), nullptr, 0);
    }
    kept.body = std::move(body);
    return kept;
  } catch (const Error &) {
    return std::nullopt;
  }
}

void Cache::publish_release(const std::string &url, int body, const Validators &validators) const {
  if (!keeps_files()) return;
  if (::lseek(body, 0, SEEK_SET) < 0) throw base::os_error(ErrorKind::output, errno, "cannot read a file");
  std::string bytes = base::read_all(body);
  std::string path = release_path(url);
  try {
    // two runs may interleave here; the digest then tells that the pair does not belong together
    base::write_whole(path, bytes);
    base::write_whole(path + ".validators",
                      fmt::format("url: {}\nsha256: {}\netag: {}\nlast-modified: {}\n", base::without_credentials(url),
                                  base::hash_of(base::HashKind::sha256, bytes), one_line(validators.etag),
                                  one_line(validators.last_modified)));
  } catch (const Error &) {
    // a full disk, or somebody who prunes: the next run asks for it anew
  }
}

void Cache::drop_release(const std::string &url) const noexcept {
  if (!keeps_files() || is_offline_) return;
  std::string path = release_path(url);
  ::unlink((path + ".validators").c_str());
  ::unlink(path.c_str());
}

}  // namespace debroot::fetch
