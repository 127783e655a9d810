/// What the transfer thread does: takes requests one by one through cache, network, retries and checks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "fetch/cache.hpp"
#include "fetch/curl.hpp"
#include "fetch/download.hpp"
#include "fetch/request.hpp"
#include "fetch/retry.hpp"

namespace debroot::fetch {

/// Sums that other threads read while the engine runs.
struct Counters {
  std::atomic<std::uint64_t> network_bytes{0};
  std::atomic<std::uint64_t> cache_bytes{0};
  std::atomic<std::size_t> completions{0};
};

/// How the engine behaves, apart from where it keeps files.
struct EngineSettings {
  unsigned parallel = 8;  ///< transfers at a time to one server
  RetryPolicy retry;
  /// A partial file that another process holds is waited for as long as it grows at least once within this.
  std::chrono::milliseconds lock_patience{10000};
};

/// Owned by the transfer thread. A job is, in this order: unprepared (the cache was not asked yet), queued for its
/// server, active, and then either done or waiting for its next attempt.
class Engine {
 public:
  using Finish = std::function<void(Completion)>;

  Engine(const Cache &cache, HttpClient &client, EngineSettings settings, Counters &counters, Finish finish);
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;
  ~Engine();

  void add(std::size_t ticket, Request request);
  /// One round: a little of everything that can be done, waiting in between for at most as long as nothing is due.
  void run_once();
  /// Ends everything with an Error of kind interrupted.
  void interrupt();
  [[nodiscard]] bool is_idle() const noexcept { return jobs_.empty(); }

 private:
  struct Job;
  /// Jobs of one server.
  struct Server {
    std::deque<std::size_t> queue;
    unsigned active = 0;
  };
  using Clock = std::chrono::steady_clock;

  void prepare(Job &job);
  void prepare_local(Job &job);
  [[nodiscard]] std::optional<base::Fd> find_finished(const Request &request, std::uint64_t &size_bytes) const;
  void queue(Job &job);
  void wake_due();
  void start_queued();
  void start(Job &job);
  [[nodiscard]] bool open_download(Job &job);
  void wait_for_lock(Job &job);
  void release_slot(Job &job);
  void on_result(HttpResult result);
  void on_body(Job &job, const HttpHead &head);
  void keep(Job &job, const HttpHead &head);
  void on_unchanged(Job &job);
  void on_failure(Job &job, const HttpResult &result, const std::string &got_sha256);
  void note_progress(Job &job, Failure failure);
  void succeed(Job &job, base::Fd fd, std::uint64_t size_bytes, bool is_from_cache);
  void fail(Job &job, Error error);
  void end(Job &job, std::variant<Fetched, Missing, Error> outcome);
  void guard(Job &job, void (Engine::*step)(Job &));
  [[nodiscard]] std::chrono::milliseconds time_to_next() const;

  const Cache &cache_;
  HttpClient &client_;
  EngineSettings settings_;
  Counters &counters_;
  Finish finish_;
  std::map<std::size_t, std::unique_ptr<Job>> jobs_;
  std::deque<std::size_t> unprepared_;
  std::map<std::string, Server> servers_;
  std::multimap<Clock::time_point, std::size_t> waiting_;
};

}  // namespace debroot::fetch
