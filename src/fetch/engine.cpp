#include "fetch/engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "fetch/messages.hpp"
#include "fetch/url.hpp"

namespace debroot::fetch {

namespace {

using std::chrono::milliseconds;

/// How often a partial file that somebody else writes is looked at.
constexpr milliseconds kLockInterval{50};
/// A broken attempt that brought this much more than any before it does not count against the request.
constexpr std::uint64_t kProgressBytes = std::uint64_t{64} * 1024;

/// Lower-cases in place. @return whether it is 64 hexadecimal digits, without which it must not become a path
bool normalize_digest(std::string &digest) {
  for (char &c : digest) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return digest.size() == 64;
}

std::string errno_text(int errno_value) {
  return base::os_error(ErrorKind::network, errno_value, "x").message().substr(3);
}

}  // namespace

struct Engine::Job {
  std::size_t ticket = 0;
  Request request;
  std::string server;
  bool is_active = false;
  std::optional<Download> download;
  std::optional<KeptRelease> kept;
  int failed_attempts = 0;      ///< since the last progress, for decide_retry
  int all_failed_attempts = 0;  ///< for the message
  std::uint64_t furthest_bytes = 0;
  bool is_body_doubtful = false;  ///< ask caches on the way to ask again
  std::optional<Clock::time_point> lock_deadline;
  std::uint64_t lock_size_bytes = 0;
};

Engine::Engine(const Cache &cache, HttpClient &client, EngineSettings settings, Counters &counters, Finish finish)
    : cache_(cache), client_(client), settings_(settings), counters_(counters), finish_(std::move(finish)) {
  settings_.parallel = std::max(1U, settings_.parallel);
}

Engine::~Engine() { client_.cancel_all(); }

void Engine::add(std::size_t ticket, Request request) {
  auto job = std::make_unique<Job>();
  job->ticket = ticket;
  job->request = std::move(request);
  jobs_.emplace(ticket, std::move(job));
  unprepared_.push_back(ticket);
}

void Engine::run_once() {
  // one at a time: looking into the cache means hashing, which must not keep the network waiting
  if (!unprepared_.empty()) {
    Job &job = *jobs_.at(unprepared_.front());
    unprepared_.pop_front();
    guard(job, &Engine::prepare);
  }
  wake_due();
  start_queued();
  client_.run(unprepared_.empty() ? time_to_next() : milliseconds{0});
  for (HttpResult &result : client_.take_finished()) on_result(std::move(result));
}

void Engine::interrupt() {
  client_.cancel_all();
  unprepared_.clear();
  waiting_.clear();
  servers_.clear();
  while (!jobs_.empty()) {
    Job &job = *jobs_.begin()->second;
    job.is_active = false;
    fail(job, stop_error(job.request));
  }
}

/// Runs one step; what it throws ends the job.
void Engine::guard(Job &job, void (Engine::*step)(Job &)) {
  try {
    (this->*step)(job);
  } catch (Error &error) {
    fail(job, std::move(error.frame(fmt::format("downloading '{}'", base::without_credentials(job.request.url)))));
  } catch (const std::exception &error) {
    fail(job, Error(ErrorKind::internal, fmt::format("cannot go on with a download: {}", error.what())));
  }
}

milliseconds Engine::time_to_next() const {
  constexpr milliseconds kLongest{60000};
  if (waiting_.empty()) return kLongest;
  auto left = std::chrono::ceil<milliseconds>(waiting_.begin()->first - Clock::now());
  return std::clamp(left, milliseconds{0}, kLongest);
}

void Engine::prepare(Job &job) {
  Request &request = job.request;
  if (request.sha256 && !normalize_digest(*request.sha256)) return fail(job, malformed_digest_error(request));
  std::string scheme = url_scheme(request.url);
  if (scheme == "file" || scheme == "copy") return prepare_local(job);
  if (scheme != "http" && scheme != "https") return fail(job, scheme_error(request, scheme));
  if (request.sha256) {
    std::uint64_t size_bytes = 0;
    if (auto fd = find_finished(request, size_bytes)) return succeed(job, std::move(*fd), size_bytes, true);
  } else if (request.is_release) {
    job.kept = cache_.take_release(request.url);
  }
  if (cache_.is_offline()) {
    if (job.kept) return on_unchanged(job);
    if (request.may_be_missing) return end(job, Missing{});
    return fail(job, offline_error(request));
  }
  job.server = url_server(request.url);
  queue(job);
}

/// The file as the cache holds it.
std::optional<base::Fd> Engine::find_finished(const Request &request, std::uint64_t &size_bytes) const {
  std::optional<base::Fd> fd = cache_.take(*request.sha256, &size_bytes);
  // a digest that fits with a size that does not is a mistake of the index, which the network path reports
  if (fd && request.size_bytes != 0 && request.size_bytes != size_bytes) fd.reset();
  return fd;
}

void Engine::prepare_local(Job &job) {
  const Request &request = job.request;
  std::string path = url_local_path(request.url);
  if (path.empty()) return fail(job, read_error(request, "not an absolute path"));
  // O_NONBLOCK: a FIFO of that name must not hold up everything
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    int failure = errno;
    if (request.may_be_missing && (failure == ENOENT || failure == ENOTDIR)) return end(job, Missing{});
    return fail(job, read_error(request, errno_text(failure)));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(job, read_error(request, "not a regular file"));
  }
  auto size_bytes = static_cast<std::uint64_t>(info.st_size);
  BodyExpectation expected{.sha256 = {}, .size_bytes = request.size_bytes, .limit_bytes = request.limit_bytes};
  if (size_bytes > expected.ceiling_bytes()) {
    return fail(job, read_error(request, fmt::format("larger than {} bytes", expected.ceiling_bytes())));
  }
  if (size_bytes < request.size_bytes) {
    return fail(job, read_error(request, fmt::format("ended after {} of {} bytes", size_bytes, request.size_bytes)));
  }
  if (request.sha256) {
    std::string digest = base::hash_of_file(base::HashKind::sha256, fd.get());
    if (digest != *request.sha256) return fail(job, digest_error(request, digest, 1));
  }
  succeed(job, std::move(fd), size_bytes, true);
}

void Engine::queue(Job &job) { servers_[job.server].queue.push_back(job.ticket); }

void Engine::wake_due() {
  Clock::time_point now = Clock::now();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    queue(*jobs_.at(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
  }
}

void Engine::start_queued() {
  for (auto &[name, server] : servers_) {
    while (server.active < settings_.parallel && !server.queue.empty()) {
      Job &job = *jobs_.at(server.queue.front());
      server.queue.pop_front();
      ++server.active;
      job.is_active = true;
      guard(job, &Engine::start);
    }
  }
}

void Engine::release_slot(Job &job) {
  if (std::exchange(job.is_active, false)) --servers_[job.server].active;
}

void Engine::start(Job &job) {
  if (!job.download && !open_download(job)) return;
  if (job.download->is_full()) {
    if (job.download->check().failure == Failure::none) return keep(job, {});
    job.download->start_over();
  }
  HttpRequest http{.url = job.request.url, .headers = {}, .resume_at_bytes = job.download->prepare_attempt()};
  if (job.request.is_release) {
    http.headers.emplace_back("Cache-Control: max-age=0");
    if (job.kept && !job.kept->validators.etag.empty()) {
      http.headers.push_back("If-None-Match: " + job.kept->validators.etag);
    }
    if (job.kept && !job.kept->validators.last_modified.empty()) {
      http.headers.push_back("If-Modified-Since: " + job.kept->validators.last_modified);
    }
  } else if (job.is_body_doubtful) {
    http.headers.emplace_back("Cache-Control: no-cache");
  }
  client_.start(job.ticket, http, *job.download);
}

/// Finds a place for the body. @return false when the job ended or waits for another process
bool Engine::open_download(Job &job) {
  const Request &request = job.request;
  std::optional<PartialFile> file;
  if (request.sha256) {
    file = cache_.try_lock_partial(*request.sha256);
    // somebody may have finished it since the cache was asked
    std::uint64_t size_bytes = 0;
    if (auto fd = find_finished(request, size_bytes)) {
      file.reset();  // before anybody hears of the end
      succeed(job, std::move(*fd), size_bytes, true);
      return false;
    }
    if (!file) {
      std::uint64_t held = cache_.partial_size(*request.sha256);
      Clock::time_point now = Clock::now();
      if (!job.lock_deadline || held != job.lock_size_bytes) job.lock_deadline = now + settings_.lock_patience;
      job.lock_size_bytes = held;
      if (now < *job.lock_deadline) {
        wait_for_lock(job);
        return false;
      }
    }
  }
  if (!file) file = cache_.make_unnamed();
  BodyExpectation expected{request.sha256, request.size_bytes, request.limit_bytes};
  job.download.emplace(std::move(*file), std::move(expected), counters_.network_bytes);
  return true;
}

void Engine::wait_for_lock(Job &job) {
  release_slot(job);
  waiting_.emplace(Clock::now() + kLockInterval, job.ticket);
}

void Engine::on_result(HttpResult result) {
  Job &job = *jobs_.at(result.id);
  release_slot(job);
  try {
    if (result.sink_error) throw *result.sink_error;
    if (result.is_broken_off || (result.failure == Failure::none && result.head.status != 304)) {
      return on_body(job, result.head);
    }
    if (result.failure == Failure::none && job.kept) return on_unchanged(job);
    bool is_absent = result.failure == Failure::http_status && (result.head.status == 404 || result.head.status == 410);
    if (is_absent && job.request.is_release) cache_.drop_release(job.request.url);
    if (is_absent && job.request.may_be_missing) return end(job, Missing{});
    if (result.failure == Failure::none) {
      result.failure = Failure::http_status;
      result.cause = "HTTP error 304";
    }
    if (result.head.status == 416 && job.download->was_resumed()) result.failure = Failure::bad_range;
    on_failure(job, result, {});
  } catch (Error &error) {
    fail(job, std::move(error.frame(fmt::format("downloading '{}'", base::without_credentials(job.request.url)))));
  }
}

void Engine::on_body(Job &job, const HttpHead &head) {
  BodyVerdict verdict = job.download->check();
  if (verdict.failure != Failure::none) {
    HttpResult result{.id = job.ticket, .failure = verdict.failure, .head = head, .cause = verdict.cause};
    return on_failure(job, result, verdict.got_sha256);
  }
  keep(job, head);
}

/// Puts a body that was found good where it belongs.
void Engine::keep(Job &job, const HttpHead &head) {
  std::uint64_t size_bytes = job.download->size_bytes();
  if (job.request.sha256) {
    return succeed(job, cache_.publish(std::move(*job.download).take_file(), *job.request.sha256), size_bytes, false);
  }
  base::Fd fd = std::move(*job.download).take_file().take();
  if (job.request.is_release) cache_.publish_release(job.request.url, fd.get(), {head.etag, head.last_modified});
  ::lseek(fd.get(), 0, SEEK_SET);
  succeed(job, std::move(fd), size_bytes, false);
}

void Engine::on_unchanged(Job &job) {
  base::Fd fd = std::move(job.kept->body);
  succeed(job, std::move(fd), job.kept->size_bytes, true);
}

/// Bytes that go beyond every earlier attempt show that trying again leads somewhere. Since a file is finite, this
/// cannot go on for ever, not even with a server that ends every connection early.
void Engine::note_progress(Job &job, Failure failure) {
  ++job.all_failed_attempts;
  ++job.failed_attempts;
  if (failure != Failure::lost && failure != Failure::timeout) return;
  std::uint64_t reached = job.download->size_bytes();
  if (reached >= job.furthest_bytes + kProgressBytes) job.failed_attempts = 1;
  job.furthest_bytes = std::max(job.furthest_bytes, reached);
}

void Engine::on_failure(Job &job, const HttpResult &result, const std::string &got_sha256) {
  note_progress(job, result.failure);
  AttemptOutcome outcome{result.failure, result.head.status, result.head.retry_after, job.download->was_resumed()};
  RetryDecision decision = decide_retry(outcome, job.failed_attempts, settings_.retry);
  bool is_wrong = result.failure == Failure::wrong_body || result.failure == Failure::too_large;
  // never leave to a later run what is known to be wrong
  if (decision.starts_over || is_wrong) job.download->start_over();
  if (decision.is_retried) {
    job.is_body_doubtful = job.is_body_doubtful || is_wrong;
    waiting_.emplace(Clock::now() + decision.delay, job.ticket);
    return;
  }
  if (!got_sha256.empty()) return fail(job, digest_error(job.request, got_sha256, job.all_failed_attempts));
  fail(job, download_error(job.request, result.cause, result.remark, job.all_failed_attempts));
}

void Engine::succeed(Job &job, base::Fd fd, std::uint64_t size_bytes, bool is_from_cache) {
  if (is_from_cache) counters_.cache_bytes += size_bytes;
  std::uint64_t network_bytes = job.download ? job.download->network_bytes() : 0;
  end(job, Fetched{base::UntrustedFile(std::move(fd)), size_bytes, is_from_cache, network_bytes});
}

void Engine::fail(Job &job, Error error) { end(job, std::move(error)); }

void Engine::end(Job &job, std::variant<Fetched, Missing, Error> outcome) {
  release_slot(job);
  std::size_t ticket = job.ticket;
  // first, so that the lock on its partial file is gone when the outcome is known
  jobs_.erase(ticket);
  ++counters_.completions;
  finish_({ticket, std::move(outcome)});
}

}  // namespace debroot::fetch
