#include "cli/console.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "base/fd.hpp"

namespace debroot::cli {
namespace {

/// Progress must not be able to fail a build: what cannot be written is dropped.
void write_or_drop(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool is_utf8(const plan::HostFacts &host) {
  for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value = host.variable(name);
    if (value.empty()) continue;
    for (const char *word : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (value.find(word) != std::string::npos) return true;
    }
    return false;
  }
  return false;
}

unsigned terminal_width(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void redirect_to_file(Console &console, const std::string &path) {
  base::Fd file = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  auto original = std::make_shared<base::Fd>(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  if (::dup2(file.get(), STDERR_FILENO) < 0) throw base::os_error(ErrorKind::output, errno, "cannot redirect stderr");
  console.terminal_err = [original](std::string_view text) { write_or_drop(original->get(), text); };
  console.is_err_terminal = false;
  console.uses_colour = false;
}

}  // namespace

Console make_console(const plan::HostFacts &host) {
  Console console;
  console.out = [](std::string_view text) { base::write_all(STDOUT_FILENO, text, "standard output"); };
  console.err = [](std::string_view text) { write_or_drop(STDERR_FILENO, text); };
  std::string terminal = host.variable("TERM");
  console.is_err_terminal = ::isatty(STDERR_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
  console.uses_colour = console.is_err_terminal && host.variable("NO_COLOR").empty();
  console.uses_unicode = is_utf8(host);
  console.width = [] { return terminal_width(STDERR_FILENO); };
  console.now_ms = [] {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  };
  console.redirect = redirect_to_file;
  return console;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    bool is_control = (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    if (is_control) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace debroot::cli
