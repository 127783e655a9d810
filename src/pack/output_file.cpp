#include "pack/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "base/fd.hpp"
#include "base/host_file.hpp"

namespace debroot::pack {

/// What is open, and what has to be undone.
struct OutputFile::State {
  std::string path;  ///< as given
  base::Fd file;
  base::Fd directory;     ///< holds the target; empty when the target is written directly
  std::string leaf;       ///< name of the target in `directory`
  std::string temporary;  ///< name that the file has meanwhile; empty while it has none

  State() = default;
  State(const State &) = delete;
  State &operator=(const State &) = delete;
  ~State() {
    if (!temporary.empty()) ::unlinkat(directory.get(), temporary.c_str(), 0);
  }
};

namespace {

constexpr mode_t kMode = 0666;  // the umask takes its share
constexpr int kMostLinks = 40;
constexpr int kMostNames = 100;

Error cannot_write(int errno_value, const std::string &path) {
  return base::os_error(ErrorKind::output, errno_value, fmt::format("cannot write '{}'", path));
}

Error cannot_write(const std::string &path, const std::string &cause) {
  return {ErrorKind::usage, fmt::format("cannot write '{}': {}", path, cause)};
}

std::string parent_of(const std::string &path) {
  std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The path at the end of the links that begin at `path`; it need not exist.
std::string follow_links(std::string path) {
  std::string shown = path;
  for (int i = 0; i < kMostLinks; ++i) {
    char target[PATH_MAX];
    ssize_t length = ::readlink(path.c_str(), target, sizeof(target));
    if (length < 0) return path;
    std::string next(target, static_cast<std::size_t>(length));
    path = next.starts_with('/') ? next : fmt::format("{}/{}", parent_of(path), next);
  }
  throw cannot_write(ELOOP, shown);
}

std::string temporary_name(const std::string &leaf) {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof(random), 0) != static_cast<ssize_t>(sizeof(random))) {
    random = static_cast<std::uint64_t>(::getpid());  // uniqueness is O_EXCL's business
  }
  // the name must stay below NAME_MAX with a leaf that is as long as a name can be
  std::string name = "." + leaf.substr(0, NAME_MAX - 8) + ".";
  for (int i = 0; i < 6; ++i, random /= 36) name += kLetters[random % 36];
  return name;
}

/// The parent of the target, or the reason why there can be no file in it.
base::Fd open_parent(const std::string &target, const std::string &path) {
  std::string parent = parent_of(target);
  int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) fd = ::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);  // need not be readable
  if (fd >= 0) return base::Fd(fd);
  if (errno == ENOENT) throw cannot_write(path, fmt::format("the directory '{}' does not exist", parent));
  if (errno == ENOTDIR) throw cannot_write(path, fmt::format("'{}' is not a directory", parent));
  throw cannot_write(errno, path);
}

void refuse_terminal(int fd) {
  if (::isatty(fd) == 1) {
    throw Error(ErrorKind::usage, "refusing to write an image to a terminal").hint("-o FILE or a pipe");
  }
}

}  // namespace

OutputFile::OutputFile(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
OutputFile::OutputFile(OutputFile &&) noexcept = default;
OutputFile &OutputFile::operator=(OutputFile &&) noexcept = default;
OutputFile::~OutputFile() = default;

int OutputFile::fd() const noexcept { return state_->file.get(); }
const std::string &OutputFile::path() const noexcept { return state_->path; }

namespace {

/// Opens something that exists and is no plain file. Of a block device nothing may be mounted (O_EXCL, open(2)).
base::Fd open_stream(const std::string &path, mode_t mode) {
  int access = S_ISBLK(mode) ? O_RDWR | O_EXCL : O_WRONLY;
  int fd = ::open(path.c_str(), access | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && errno == EINTR) {
    throw Error(ErrorKind::interrupted, fmt::format("interrupted while waiting for a reader of '{}'", path));
  }
  if (fd < 0) throw cannot_write(errno, path);
  return base::Fd(fd);
}

/// An unnamed file in `directory`, or where the file system has none, one of the name that `temporary` receives.
base::Fd create_file(int directory, const std::string &leaf, const std::string &path, std::string &temporary) {
  int fd = ::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kMode);
  if (fd >= 0) return base::Fd(fd);
  // EISDIR and EINVAL are what kernels and file systems say that take O_TMPFILE for a plain open
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) throw cannot_write(errno, path);
  for (int i = 0; i < kMostNames; ++i) {
    std::string name = temporary_name(leaf);
    fd = ::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode);
    if (fd >= 0) {
      temporary = name;
      return base::Fd(fd);
    }
    if (errno != EEXIST) break;
  }
  throw cannot_write(errno, path);
}

}  // namespace

OutputFile OutputFile::open(const std::string &path) {
  auto state = std::make_unique<State>();
  state->path = path;
  if (path == "-") {
    refuse_terminal(STDOUT_FILENO);
    int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw base::os_error(ErrorKind::output, errno, "cannot write standard output");
    state->file.reset(copy);
    return OutputFile(std::move(state));
  }
  struct stat info {};
  bool exists = ::stat(path.c_str(), &info) == 0;
  if ((exists && S_ISDIR(info.st_mode)) || path.ends_with('/')) throw cannot_write(path, "it is a directory");
  if (exists && !S_ISREG(info.st_mode)) {
    state->file = open_stream(path, info.st_mode);
    refuse_terminal(state->file.get());
    return OutputFile(std::move(state));
  }
  std::string target = follow_links(path);
  state->directory = open_parent(target, path);
  state->leaf = target.substr(target.rfind('/') + 1);
  state->file = create_file(state->directory.get(), state->leaf, path, state->temporary);
  return OutputFile(std::move(state));
}

void OutputFile::finish() {
  State &state = *state_;
  if (state.directory && state.temporary.empty()) {
    int status = EEXIST;
    for (int i = 0; status == EEXIST && i < kMostNames; ++i) {
      state.temporary = temporary_name(state.leaf);
      status = base::link_unnamed(state.file.get(), state.directory.get(), state.temporary);
    }
    if (status != 0) {
      state.temporary.clear();
      throw cannot_write(status, state.path);
    }
  }
  // a close can be the first to hear of a full disk (network file systems): before the name, not after
  if (::close(state.file.release()) != 0 && errno != EINTR) throw cannot_write(errno, state.path);
  if (!state.directory) return;
  // always by a rename: it replaces what is there, which linkat cannot
  if (::renameat(state.directory.get(), state.temporary.c_str(), state.directory.get(), state.leaf.c_str()) != 0) {
    throw cannot_write(errno, state.path);
  }
  state.temporary.clear();
}

}  // namespace debroot::pack
