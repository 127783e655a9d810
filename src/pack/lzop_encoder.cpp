#include "pack/lzop_encoder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/subprocess.hpp"
#include "debroot/error.hpp"
#include "pack/lzop_header.hpp"

namespace debroot::pack {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

/// The program with one socket for what goes in and what comes out: writing to it when it has died is an error, where a
/// pipe would be a signal.
class LzopEncoder : public Encoder {
 public:
  LzopEncoder(FdWriter out, const CompressionLevel &level) : out_(std::move(out)), buffer_(kBufferBytes) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw failed("no socket");
    socket_ = base::Fd(ends[0]);
    start(base::Fd(ends[1]), level);
  }
  LzopEncoder(const LzopEncoder &) = delete;
  LzopEncoder &operator=(const LzopEncoder &) = delete;
  ~LzopEncoder() override {
    if (program_ <= 0) return;
    ::kill(program_, SIGKILL);
    ::waitpid(program_, nullptr, 0);
  }

  void write(std::string_view bytes) override {
    while (!bytes.empty()) {
      pollfd ready{socket_.get(), POLLIN | POLLOUT, 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) throw failed("poll fails");
      // what it has written is taken first: else both could wait for each other
      if ((ready.revents & POLLIN) != 0 && !take()) throw ended();
      if ((ready.revents & POLLOUT) == 0) continue;
      ssize_t put = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
      if (put < 0 && errno != EAGAIN && errno != EINTR) throw ended();
    }
  }

  void finish() override {
    ::shutdown(socket_.get(), SHUT_WR);
    while (take()) {
    }
    int status = wait();
    if (status != 0 || !header_.is_complete()) throw failed(fmt::format("lzop ended with status {}", status));
  }

  [[nodiscard]] std::uint64_t output_bytes() const noexcept override { return out_.bytes(); }

 private:
  void start(base::Fd end, const CompressionLevel &level) {
    std::string path = base::find_program("lzop").value_or("lzop");
    std::string option = fmt::format("-{}", level.value);
    std::vector<char *> arguments = {path.data()};
    if (level.value > 0) arguments.push_back(option.data());
    arguments.push_back(nullptr);
    std::array<char *, 1> environment = {nullptr};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, end.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int cause = ::posix_spawn(&program_, path.c_str(), &actions, nullptr, arguments.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (cause != 0) throw base::os_error(ErrorKind::output, cause, "cannot run 'lzop'");
  }

  /// Passes on what is there, or waits for it. @return false at the end
  bool take() {
    ssize_t got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    out_.write(header_.pass({buffer_.data(), static_cast<std::size_t>(got)}));
    return true;
  }

  /// @return the exit status as a shell counts
  int wait() {
    int status = 0;
    while (::waitpid(program_, &status, 0) < 0 && errno == EINTR) {
    }
    program_ = -1;
    return base::exit_status_of(status);
  }

  Error ended() { return failed(fmt::format("lzop ended with status {}", wait())); }
  [[nodiscard]] Error failed(std::string_view cause) const {
    return {ErrorKind::output, fmt::format("cannot compress {}: {}", out_.subject(), cause)};
  }

  FdWriter out_;
  std::vector<char> buffer_;
  base::Fd socket_;
  pid_t program_ = -1;
  LzopHeader header_;
};

}  // namespace

std::unique_ptr<Encoder> make_lzop_encoder(FdWriter out, const CompressionLevel &level) {
  return std::make_unique<LzopEncoder>(std::move(out), level);
}

}  // namespace debroot::pack
