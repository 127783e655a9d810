#include "pack/fd_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>

#include "base/fd.hpp"
#include "pack/image_sink.hpp"

namespace debroot::pack {
namespace {

/// Keeps SIGPIPE from this thread while it lives, and takes away the one that a failed write left pending.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&only_sigpipe_);
    sigaddset(&only_sigpipe_, SIGPIPE);
    sigset_t pending;
    was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &only_sigpipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe &) = delete;
  WithoutSigpipe &operator=(const WithoutSigpipe &) = delete;
  ~WithoutSigpipe() {
    timespec at_once{};
    if (!was_pending_) sigtimedwait(&only_sigpipe_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t only_sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

constexpr int kPipeBytes = 1 << 20;
/// What a file gets at a time. For longer pieces the kernel takes larger folios, which it finds in memory that was idle
/// for long and not in what the tree has just given back: half of the speed on a virtual machine.
constexpr std::size_t kFilePieceBytes = 1 << 16;

bool is_regular_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

FdWriter::FdWriter(int fd, const std::string &name, std::function<bool()> is_cancelled)
    : fd_(fd),
      piece_bytes_(is_regular_file(fd) ? kFilePieceBytes : std::numeric_limits<std::size_t>::max()),
      subject_(subject_of(name)),
      is_cancelled_(std::move(is_cancelled)) {
  // a larger pipe spares switches between writer and reader; refused for anything but a pipe, which is as well
  ::fcntl(fd_, F_SETPIPE_SZ, kPipeBytes);
}

void FdWriter::write(std::string_view bytes) {
  WithoutSigpipe quiet;
  while (!bytes.empty()) {
    ssize_t put = ::write(fd_, bytes.data(), std::min(bytes.size(), piece_bytes_));
    int cause = put < 0 ? errno : 0;
    if (is_cancelled_ && is_cancelled_()) throw_interrupted();
    if (cause == EINTR) continue;
    if (cause == EPIPE) throw Error(ErrorKind::output, fmt::format("cannot write {}: the reader went away", subject_));
    if (cause != 0) throw base::os_error(ErrorKind::output, cause, fmt::format("cannot write {}", subject_));
    bytes_ += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string subject_of(const std::string &name) {
  return name.empty() || name == "-" ? "the image" : fmt::format("'{}'", name);
}

void throw_interrupted() { throw Error(ErrorKind::interrupted, "interrupted while the image was written"); }

}  // namespace debroot::pack
