#include "fetch/fetcher.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <variant>

#include "base/fd.hpp"
#include "fetch/cache.hpp"
#include "fetch/engine.hpp"

namespace debroot::fetch {

namespace {

/// Ends on their way from the transfer thread to the caller.
class CompletionQueue {
 public:
  CompletionQueue() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw base::os_error(ErrorKind::internal, errno, "cannot make an event descriptor");
  }

  [[nodiscard]] int fd() const noexcept { return event_.get(); }

  void push(Completion completion) {
    std::lock_guard lock(mutex_);
    completions_.push_back(std::move(completion));
    ::eventfd_write(event_.get(), 1);
    arrived_.notify_all();
  }

  /// The first end, or that of `ticket`; waits for it if `waits`.
  std::optional<Completion> take(std::optional<std::size_t> ticket, bool waits) {
    std::unique_lock lock(mutex_);
    auto find = [&] {
      return std::find_if(completions_.begin(), completions_.end(),
                          [&](const Completion &c) { return !ticket || c.ticket == *ticket; });
    };
    auto found = find();
    while (waits && found == completions_.end()) {
      arrived_.wait(lock);
      found = find();
    }
    if (found == completions_.end()) return std::nullopt;
    Completion completion = std::move(*found);
    completions_.erase(found);
    if (eventfd_t count = 0; completions_.empty()) ::eventfd_read(event_.get(), &count);
    return completion;
  }

 private:
  base::Fd event_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Completion> completions_;
};

/// Requests on their way to the transfer thread, and the wish that it end.
class Inbox {
 public:
  using Item = std::pair<std::size_t, Request>;

  void push(Item item) {
    std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  void close() {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  /// @return nothing once closed
  std::optional<std::vector<Item>> take_all() {
    std::lock_guard lock(mutex_);
    if (is_closed_) return std::nullopt;
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Item> items_;
  bool is_closed_ = false;
};

/// A thread that no signal is delivered to: handlers belong to the main thread, and a broken TLS connection must not
/// raise SIGPIPE.
template <class Work>
std::thread start_quiet_thread(Work work) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread thread(std::move(work));
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  } catch (const std::system_error &error) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw base::os_error(ErrorKind::internal, error.code().value(), "cannot start the transfer thread");
  }
}

}  // namespace

class Fetcher::Impl {
 public:
  explicit Impl(FetchOptions options)
      : options_(std::move(options)),
        cache_(options_.cache, options_.temporary_directory),
        client_(options_.proxies, options_.patience) {}
  Impl(const Impl &) = delete;
  Impl &operator=(const Impl &) = delete;
  ~Impl() {
    inbox_.close();
    client_.wake();
    if (thread_.joinable()) thread_.join();
  }

  std::size_t submit(Request request) {
    std::size_t ticket = next_ticket_;
    inbox_.push({ticket, std::move(request)});
    if (!thread_.joinable()) thread_ = start_quiet_thread([this] { work(); });
    untaken_.insert(ticket);
    ++next_ticket_;
    client_.wake();
    return ticket;
  }

  std::optional<Completion> take(std::optional<std::size_t> ticket, bool waits) {
    bool is_known = ticket ? untaken_.contains(*ticket) : !untaken_.empty();
    if (waits && !is_known) throw Error(ErrorKind::internal, "waited for a download that was not asked for");
    std::optional<Completion> completion = completions_.take(ticket, waits);
    if (completion) untaken_.erase(completion->ticket);
    return completion;
  }

  [[nodiscard]] int completion_fd() const noexcept { return completions_.fd(); }
  [[nodiscard]] Transferred totals() const noexcept {
    return {counters_.network_bytes, counters_.cache_bytes, counters_.completions};
  }

 private:
  void work() {
    EngineSettings settings{options_.parallel, options_.retry, options_.lock_patience};
    Engine engine(cache_, client_, settings, counters_, [this](Completion end) { completions_.push(std::move(end)); });
    std::stop_callback wake_on_stop(options_.stop, [this] { client_.wake(); });
    while (auto items = inbox_.take_all()) {
      for (auto &[ticket, request] : *items) engine.add(ticket, std::move(request));
      if (options_.stop.stop_requested()) engine.interrupt();
      engine.run_once();
    }
  }

  FetchOptions options_;
  Cache cache_;
  HttpClient client_;
  Counters counters_;
  CompletionQueue completions_;
  Inbox inbox_;
  std::set<std::size_t> untaken_;
  std::size_t next_ticket_ = 0;
  std::thread thread_;
};

Fetcher::Fetcher(FetchOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Fetcher::~Fetcher() = default;

std::size_t Fetcher::submit(Request request) { return impl_->submit(std::move(request)); }
int Fetcher::completion_fd() const noexcept { return impl_->completion_fd(); }
std::optional<Completion> Fetcher::take_completion() { return impl_->take(std::nullopt, false); }
Completion Fetcher::wait() { return *impl_->take(std::nullopt, true); }
Completion Fetcher::wait(std::size_t ticket) { return *impl_->take(ticket, true); }
Transferred Fetcher::totals() const noexcept { return impl_->totals(); }

std::vector<Completion> Fetcher::fetch_all(std::vector<Request> requests) {
  std::vector<std::size_t> tickets;
  for (Request &request : requests) tickets.push_back(submit(std::move(request)));
  std::vector<Completion> ends;
  ends.reserve(tickets.size());
  for (std::size_t ticket : tickets) ends.push_back(wait(ticket));
  return ends;
}

Fetched require(Completion completion) {
  if (auto *error = std::get_if<Error>(&completion.outcome)) throw std::move(*error);
  if (auto *fetched = std::get_if<Fetched>(&completion.outcome)) return std::move(*fetched);
  throw Error(ErrorKind::internal, "a file that must not be missing is missing");
}

}  // namespace debroot::fetch
