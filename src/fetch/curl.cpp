#include "fetch/curl.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "debroot/version.hpp"
#include "fetch/curl_cause.hpp"
#include "fetch/http_header.hpp"
#include "fetch/url.hpp"

namespace debroot::fetch {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How much of an error page is read to keep its connection.
constexpr std::uint64_t kMostIgnoredBytes = std::uint64_t{256} * 1024;
constexpr long kMostRedirects = 10;
/// Connections kept open while nothing uses them.
constexpr long kMostIdleConnections = 32;

struct FreeList {
  void operator()(curl_slist *list) const noexcept { curl_slist_free_all(list); }
};
struct FreeEasy {
  void operator()(CURL *easy) const noexcept { curl_easy_cleanup(easy); }
};

/// One transfer in progress. Its address is libcurl's user pointer, so it never moves.
struct Transfer {
  std::size_t id = 0;
  std::string scheme;
  HttpSink *sink = nullptr;
  std::unique_ptr<CURL, FreeEasy> easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  HttpHead head;
  bool has_begun = false;
  bool is_broken_off = false;
  std::optional<Error> sink_error;
  std::uint64_t ignored_bytes = 0;
  Clock::time_point window_start = Clock::now();
  std::uint64_t window_bytes = 0;
};

bool pass_on(Transfer &transfer, std::string_view bytes) {
  if (transfer.head.status != 200 && transfer.head.status != 206) {
    transfer.ignored_bytes += bytes.size();
    return transfer.ignored_bytes <= kMostIgnoredBytes;
  }
  bool goes_on = true;
  try {
    if (!std::exchange(transfer.has_begun, true)) goes_on = transfer.sink->begin(transfer.head);
    goes_on = goes_on && transfer.sink->write(bytes);
  } catch (const Error &error) {
    transfer.sink_error = error;
    goes_on = false;
  } catch (const std::exception &error) {
    transfer.sink_error = Error(ErrorKind::internal, fmt::format("cannot take a download: {}", error.what()));
    goes_on = false;
  }
  transfer.is_broken_off = !goes_on;
  return goes_on;
}

extern "C" {
// no exception may pass through libcurl, which is C
static size_t debroot_fetch_on_body(char *data, size_t size, size_t count, void *user) {
  auto &transfer = *static_cast<Transfer *>(user);
  transfer.window_bytes += size * count;
  return pass_on(transfer, {data, size * count}) ? size * count : 0;
}

static size_t debroot_fetch_on_header(char *data, size_t size, size_t count, void *user) {
  auto &transfer = *static_cast<Transfer *>(user);
  try {
    read_header_line({data, size * count}, transfer.head);
  } catch (...) {
    return 0;
  }
  return size * count;
}
}

template <class Value>
void set(CURL *easy, CURLoption option, Value value) {
  if (CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK) {
    throw Error(ErrorKind::internal, fmt::format("cannot set up a transfer: {}", curl_easy_strerror(code)));
  }
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(HttpProxies proxies, HttpPatience patience) : proxies_(std::move(proxies)), patience_(patience) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (multi_ = curl_multi_init()) == nullptr) {
      throw Error(ErrorKind::internal, "cannot start libcurl");
    }
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMostIdleConnections);
  }
  Impl(const Impl &) = delete;
  Impl &operator=(const Impl &) = delete;
  ~Impl() {
    cancel_all();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }

  void start(std::size_t id, const HttpRequest &request, HttpSink &sink);
  void run(milliseconds longest);
  std::vector<HttpResult> take_finished() { return std::exchange(finished_, {}); }
  void cancel_all() {
    for (auto &[easy, transfer] : transfers_) curl_multi_remove_handle(multi_, easy);
    transfers_.clear();
    finished_.clear();
  }
  void wake() noexcept { curl_multi_wakeup(multi_); }

 private:
  void set_up(Transfer &transfer, const HttpRequest &request) const;
  void collect();
  void break_off_stalled();
  void finish(CURL *easy, HttpResult result);
  [[nodiscard]] HttpResult result_of(Transfer &transfer, CURLcode code) const;

  HttpProxies proxies_;
  HttpPatience patience_;
  CURLM *multi_ = nullptr;
  std::map<CURL *, std::unique_ptr<Transfer>> transfers_;
  std::vector<HttpResult> finished_;
};

void HttpClient::Impl::set_up(Transfer &transfer, const HttpRequest &request) const {
  CURL *easy = transfer.easy.get();
  bool is_tls = transfer.scheme == "https";
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  // as with apt, who asked for TLS is not sent elsewhere without it
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_tls ? "https" : "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 1L);
  set(easy, CURLOPT_MAXREDIRS, kMostRedirects);
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  set(easy, CURLOPT_USERAGENT, fmt::format("debroot/{}", kVersion).c_str());
  set(easy, CURLOPT_NETRC, long{CURL_NETRC_OPTIONAL});
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // a stop must not wait for a name server that does not answer
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(patience_.connect.count()));
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  set(easy, CURLOPT_WRITEFUNCTION, &debroot_fetch_on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void *>(&transfer));
  set(easy, CURLOPT_HEADERFUNCTION, &debroot_fetch_on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void *>(&transfer));
  const std::string &proxy = is_tls && !proxies_.https.empty() ? proxies_.https : proxies_.http;
  if (!proxy.empty()) set(easy, CURLOPT_PROXY, proxy == "DIRECT" ? "" : proxy.c_str());
  // not CURLOPT_RESUME_FROM, which makes an error of a server that sends the whole file
  if (request.resume_at_bytes > 0) set(easy, CURLOPT_RANGE, fmt::format("{}-", request.resume_at_bytes).c_str());
  for (const std::string &header : request.headers) {
    curl_slist *longer = curl_slist_append(transfer.headers.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(transfer.headers.release());
    transfer.headers.reset(longer);
  }
  if (transfer.headers) set(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
}

void HttpClient::Impl::start(std::size_t id, const HttpRequest &request, HttpSink &sink) {
  auto transfer = std::make_unique<Transfer>();
  transfer->id = id;
  transfer->scheme = url_scheme(request.url);
  transfer->sink = &sink;
  transfer->easy.reset(curl_easy_init());
  if (!transfer->easy) throw Error(ErrorKind::internal, "cannot start a transfer");
  set_up(*transfer, request);
  CURL *easy = transfer->easy.get();
  transfers_.emplace(easy, std::move(transfer));
  if (CURLMcode code = curl_multi_add_handle(multi_, easy); code != CURLM_OK) {
    transfers_.erase(easy);
    throw Error(ErrorKind::internal, fmt::format("cannot start a transfer: {}", curl_multi_strerror(code)));
  }
}

void HttpClient::Impl::run(milliseconds longest) {
  int running = 0;
  curl_multi_perform(multi_, &running);
  collect();
  if (finished_.empty()) {
    if (!transfers_.empty()) longest = std::min(longest, patience_.stall / 4 + milliseconds(1));
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(longest.count()), nullptr);
    curl_multi_perform(multi_, &running);
    collect();
  }
  break_off_stalled();
}

void HttpClient::Impl::collect() {
  int left = 0;
  while (CURLMsg *message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL *easy = message->easy_handle;
    finish(easy, result_of(*transfers_.at(easy), message->data.result));
  }
}

void HttpClient::Impl::break_off_stalled() {
  Clock::time_point now = Clock::now();
  std::vector<CURL *> stalled;
  for (auto &[easy, transfer] : transfers_) {
    if (now - transfer->window_start < patience_.stall) continue;
    if (transfer->window_bytes < kLeastBytes) stalled.push_back(easy);
    transfer->window_start = now;
    transfer->window_bytes = 0;
  }
  for (CURL *easy : stalled) {
    Transfer &transfer = *transfers_.at(easy);
    HttpResult result{.id = transfer.id, .failure = Failure::timeout, .head = std::move(transfer.head)};
    result.cause = fmt::format("no data for {} s", std::chrono::duration<double>(patience_.stall).count());
    finish(easy, std::move(result));
  }
}

void HttpClient::Impl::finish(CURL *easy, HttpResult result) {
  curl_multi_remove_handle(multi_, easy);
  transfers_.erase(easy);
  finished_.push_back(std::move(result));
}

HttpResult HttpClient::Impl::result_of(Transfer &transfer, CURLcode code) const {
  CURL *easy = transfer.easy.get();
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  // an empty body never reached the callback
  bool is_file = status == 200 || status == 206;
  if (code == CURLE_OK && is_file && !transfer.has_begun) pass_on(transfer, {});
  HttpResult result{.id = transfer.id, .head = std::move(transfer.head)};
  result.head.status = static_cast<int>(status);
  result.is_broken_off = transfer.is_broken_off;
  result.sink_error = std::move(transfer.sink_error);
  if (result.is_broken_off) return result;
  bool is_ignored_body = code == CURLE_WRITE_ERROR && status != 0 && !is_file;
  if (code == CURLE_OK || is_ignored_body) {
    if (is_file || (status == 304 && code == CURLE_OK)) return result;
    result.failure = Failure::http_status;
    result.cause = fmt::format("HTTP error {}", status);
    return result;
  }
  long proxy_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status >= 400) {
    result.failure = Failure::http_status;
    result.head.status = static_cast<int>(proxy_status);
    result.cause = fmt::format("the proxy answers with HTTP error {}", proxy_status);
    return result;
  }
  long os_errno = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
  CurlCause cause = explain_curl(static_cast<int>(code), static_cast<int>(os_errno), transfer.error_text.data());
  result.failure = cause.failure;
  result.cause = std::move(cause.cause);
  result.remark = std::move(cause.remark);
  return result;
}

HttpClient::HttpClient(HttpProxies proxies, HttpPatience patience)
    : impl_(std::make_unique<Impl>(std::move(proxies), patience)) {}
HttpClient::~HttpClient() = default;
void HttpClient::start(std::size_t id, const HttpRequest &request, HttpSink &sink) { impl_->start(id, request, sink); }
void HttpClient::run(milliseconds longest) { impl_->run(longest); }
std::vector<HttpResult> HttpClient::take_finished() { return impl_->take_finished(); }
void HttpClient::cancel_all() { impl_->cancel_all(); }
void HttpClient::wake() noexcept { impl_->wake(); }

}  // namespace debroot::fetch
