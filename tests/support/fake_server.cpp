#include "support/fake_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <stdexcept>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

namespace debroot::test {

namespace {

/// Last-Modified of bodies that were put.
constexpr std::time_t kPutTime = 1'700'000'000;

std::string http_date(std::time_t time) {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

const char *reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 404:
      return "Not Found";
    case 416:
      return "Range Not Satisfiable";
    default:
      return "Scripted";
  }
}

std::string lower(std::string text) {
  for (char &c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string path_of(std::string_view target) {
  if (std::size_t scheme = target.find("://"); scheme != std::string_view::npos) {
    std::size_t slash = target.find('/', scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find('?'));
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    unsigned value = 0;
    if (target[i] == '%' && i + 2 < target.size() &&
        std::from_chars(target.data() + i + 1, target.data() + i + 3, value, 16).ec == std::errc{}) {
      path += static_cast<char>(value);
      i += 2;
    } else {
      path += target[i];
    }
  }
  return path;
}

/// The N of "bytes=N-"; other forms are answered with the whole body, which HTTP allows.
std::optional<std::uint64_t> range_start_of(std::string_view range) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range.starts_with(kUnit) || !range.ends_with('-')) return std::nullopt;
  return base::parse_number(range.substr(kUnit.size(), range.size() - kUnit.size() - 1));
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

ServedRequest parse_request(std::string_view head) {
  ServedRequest request;
  std::vector<std::string_view> lines = base::split(head, '\n');
  std::vector<std::string_view> words = base::split_words(lines.at(0));
  if (words.size() > 1) request.target = words[1];
  request.path = path_of(request.target);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::size_t colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    request.headers[lower(std::string(lines[i].substr(0, colon)))] = base::trim(lines[i].substr(colon + 1));
  }
  return request;
}

}  // namespace

std::string ServedRequest::header(const std::string &name) const {
  auto found = headers.find(name);
  return found == headers.end() ? std::string{} : found->second;
}

struct FakeServer::Answer {
  int status = 200;
  std::string body;
  std::vector<std::string> headers;
};

FakeServer::FakeServer() : FakeServer(std::string{}) {}

FakeServer::FakeServer(std::string directory) : directory_(std::move(directory)) {
  listen();
  acceptor_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    state_.is_stopping = true;
    for (int socket : state_.open_sockets) ::shutdown(socket, SHUT_RDWR);
  }
  stopping_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    std::lock_guard lock(mutex_);
    threads = std::move(state_.threads);
  }
  for (std::thread &thread : threads) thread.join();
  ::close(listener_);
}

void FakeServer::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto *generic = reinterpret_cast<sockaddr *>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, length) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, generic, &length) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
}

std::string FakeServer::url(const std::string &path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

void FakeServer::put(const std::string &path, std::string body) {
  std::lock_guard lock(mutex_);
  state_.bodies[path] = std::move(body);
}

void FakeServer::remove(const std::string &path) {
  std::lock_guard lock(mutex_);
  state_.bodies.erase(path);
}

void FakeServer::handle(const std::string &path, std::function<ServedResponse(const ServedRequest &)> handler) {
  std::lock_guard lock(mutex_);
  state_.handlers[path] = std::move(handler);
}

void FakeServer::script(const std::string &path, std::vector<Fault> faults) {
  std::lock_guard lock(mutex_);
  state_.faults[path].assign(faults.begin(), faults.end());
}

void FakeServer::set_latency(std::chrono::milliseconds latency) {
  std::lock_guard lock(mutex_);
  state_.latency = latency;
}

std::size_t FakeServer::requests(const std::string &path) const {
  std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(state_.log.begin(), state_.log.end(), [&](const ServedRequest &r) { return r.path == path; }));
}

std::vector<ServedRequest> FakeServer::log() const {
  std::lock_guard lock(mutex_);
  return state_.log;
}

std::size_t FakeServer::connections() const {
  std::lock_guard lock(mutex_);
  return state_.connections;
}

std::size_t FakeServer::most_at_once() const {
  std::lock_guard lock(mutex_);
  return state_.most_at_once;
}

void FakeServer::accept_all() {
  while (true) {
    int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    std::lock_guard lock(mutex_);
    if (socket < 0 || state_.is_stopping) {
      if (socket >= 0) ::close(socket);
      return;
    }
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++state_.connections;
    state_.open_sockets.push_back(socket);
    state_.threads.emplace_back([this, socket] { serve_connection(socket); });
  }
}

void FakeServer::serve_connection(int socket) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  std::string pending;
  char chunk[4096];
  while (true) {
    std::size_t end = pending.find(kHeadEnd);
    if (end == std::string::npos) {
      ssize_t got = ::recv(socket, chunk, sizeof chunk, 0);
      if (got <= 0) break;
      pending.append(chunk, static_cast<std::size_t>(got));
      continue;
    }
    ServedRequest request = parse_request(std::string_view(pending).substr(0, end));
    pending.erase(0, end + kHeadEnd.size());
    {
      std::lock_guard lock(mutex_);
      state_.log.push_back(request);
      state_.most_at_once = std::max(state_.most_at_once, ++state_.at_once);
    }
    bool goes_on = serve_request(socket, request);
    std::lock_guard lock(mutex_);
    --state_.at_once;
    if (!goes_on) break;
  }
  std::lock_guard lock(mutex_);
  std::erase(state_.open_sockets, socket);
  ::close(socket);
}

Fault FakeServer::next_fault(const std::string &path) {
  std::lock_guard lock(mutex_);
  auto found = state_.faults.find(path);
  if (found == state_.faults.end() || found->second.empty()) return {};
  Fault fault = std::move(found->second.front());
  found->second.pop_front();
  return fault;
}

void FakeServer::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  stopping_.wait_for(lock, duration, [this] { return state_.is_stopping; });
}

bool FakeServer::serve_request(int socket, const ServedRequest &request) {
  Fault fault = next_fault(request.path);
  std::chrono::milliseconds latency;
  {
    std::lock_guard lock(mutex_);
    latency = state_.latency;
  }
  if (latency.count() > 0) pause(latency);
  if (fault.is_reset) {
    // an RST rather than an orderly end
    linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
  }
  return send_answer(socket, answer_to(request, fault), fault) && lower(request.header("connection")) != "close";
}

FakeServer::Answer FakeServer::answer_to(const ServedRequest &request, const Fault &fault) {
  std::optional<std::string> body;
  std::time_t modified = kPutTime;
  std::function<ServedResponse(const ServedRequest &)> handler;
  {
    std::lock_guard lock(mutex_);
    if (auto found = state_.handlers.find(request.path); found != state_.handlers.end()) handler = found->second;
    if (auto found = state_.bodies.find(request.path); found != state_.bodies.end()) body = found->second;
  }
  if (fault.status != 0) return {fault.status, fault.body.value_or("scripted fault\n"), fault.headers};
  if (handler) {
    ServedResponse response = handler(request);
    return {response.status, std::move(response.body), std::move(response.headers)};
  }
  if (!body && !directory_.empty() && request.path.find("..") == std::string::npos) {
    struct stat info {};
    std::string file = directory_ + request.path;
    if (::stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      body = base::read_file(file);
      modified = info.st_mtime;
    }
  }
  if (fault.body) body = fault.body;
  if (!body) return {404, "not here\n", {}};

  std::string etag = '"' + base::hash_of(base::HashKind::sha256, *body).substr(0, 16) + '"';
  std::string date = http_date(modified);
  Answer answer{200, {}, {"ETag: " + etag, "Last-Modified: " + date, "Accept-Ranges: bytes"}};
  answer.headers.insert(answer.headers.end(), fault.headers.begin(), fault.headers.end());
  std::string known = request.header("if-none-match");
  if (known.empty() ? request.header("if-modified-since") == date : known == etag) {
    answer.status = 304;
    return answer;
  }
  std::string condition = request.header("if-range");
  bool is_condition_met = condition.empty() || condition == etag || condition == date;
  std::optional<std::uint64_t> start = range_start_of(request.header("range"));
  if (!start || !is_condition_met || fault.ignores_range) {
    answer.body = std::move(*body);
    return answer;
  }
  if (*start >= body->size()) {
    answer.status = 416;
    answer.headers.push_back(fmt::format("Content-Range: bytes */{}", body->size()));
    return answer;
  }
  answer.status = 206;
  answer.headers.push_back(fmt::format("Content-Range: bytes {}-{}/{}", *start, body->size() - 1, body->size()));
  answer.body = body->substr(*start);
  return answer;
}

bool FakeServer::send_answer(int socket, const Answer &answer, const Fault &fault) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, reason_of(answer.status));
  for (const std::string &header : answer.headers) head += header + "\r\n";
  if (fault.hides_length) {
    head += "Connection: close\r\n";
  } else if (answer.status != 304) {
    head += fmt::format("Content-Length: {}\r\n", answer.body.size());
  }
  head += "\r\n";
  if (!send_all(socket, head)) return false;
  if (fault.stall.count() > 0) pause(fault.stall);
  if (fault.close_after) {
    static_cast<void>(send_all(socket, std::string_view(answer.body).substr(0, *fault.close_after)));
    return false;
  }
  return send_all(socket, answer.body) && !fault.hides_length;
}

}  // namespace debroot::test
