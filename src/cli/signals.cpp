#include "cli/signals.hpp"

#include <unistd.h>
#include <csignal>

#include <array>
#include <atomic>
#include <string_view>

#include "cli/render_error.hpp"

namespace debroot::cli {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

// A signal handler has no parameter to reach its object by, so these two are global; both are lock-free.
std::atomic<std::stop_source *> g_source{nullptr};
std::atomic<int> g_first_signal{0};

void handle(int signal) {
  if (signal == SIGPIPE) return;
  int none = 0;
  if (!g_first_signal.compare_exchange_strong(none, signal) && signal == SIGINT) {
    constexpr std::string_view kShowCursor = "\x1b[?25h\n";
    if (::isatty(STDERR_FILENO) == 1) {
      [[maybe_unused]] ssize_t ignored = ::write(STDERR_FILENO, kShowCursor.data(), kShowCursor.size());
    }
    ::_exit(kExitInterrupted);
  }
  // Safe here because build() promises to poll its token: without callbacks, a request is one atomic exchange.
  if (std::stop_source *source = g_source.load()) source->request_stop();
}

}  // namespace

struct SignalStop::Saved {
  std::array<struct sigaction, kSignals.size()> actions{};
};

SignalStop::SignalStop() : saved_(std::make_unique<Saved>()) {
  g_first_signal = 0;
  g_source = &source_;
  struct sigaction action {};
  action.sa_handler = handle;
  ::sigemptyset(&action.sa_mask);
  // poll(2), by which the build waits, returns in spite of this; no other code has to expect EINTR
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &saved_->actions[i]);
    // what the caller ignores (nohup) stays ignored
    bool is_ignored = saved_->actions[i].sa_handler == SIG_IGN && kSignals[i] != SIGPIPE;
    if (!is_ignored) ::sigaction(kSignals[i], &action, nullptr);
  }
}

SignalStop::~SignalStop() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &saved_->actions[i], nullptr);
  g_source = nullptr;
}

int SignalStop::received() noexcept { return g_first_signal.load(); }

}  // namespace debroot::cli
