#include "fetch/download.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "fetch/request.hpp"

namespace debroot::fetch {

std::uint64_t BodyExpectation::ceiling_bytes() const noexcept {
  if (size_bytes > 0 && limit_bytes > 0) return std::min(size_bytes, limit_bytes);
  if (size_bytes > 0) return size_bytes;
  return limit_bytes > 0 ? limit_bytes : kDefaultLimitBytes;
}

Download::Download(PartialFile file, BodyExpectation expected, std::atomic<std::uint64_t> &network_bytes)
    : file_(std::move(file)), expected_(std::move(expected)), network_bytes_(network_bytes) {
  struct stat info {};
  if (::fstat(file_.fd().get(), &info) != 0) throw base::os_error(ErrorKind::output, errno, "cannot keep a download");
  size_bytes_ = static_cast<std::uint64_t>(info.st_size);
  if (size_bytes_ > expected_.ceiling_bytes()) {
    start_over();
  } else if (size_bytes_ > 0) {
    hash_held();
  }
}

/// Brings the running digest up to what an earlier run left in the file.
void Download::hash_held() {
  std::vector<char> chunk(std::size_t{256} * 1024);
  for (std::uint64_t at = 0; at < size_bytes_;) {
    ssize_t got = ::pread(file_.fd().get(), chunk.data(), chunk.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return start_over();  // unreadable: as good as not there
    hasher_.update({chunk.data(), static_cast<std::size_t>(got)});
    at += static_cast<std::uint64_t>(got);
  }
}

bool Download::is_full() const noexcept {
  return expected_.sha256 && expected_.size_bytes > 0 && size_bytes_ == expected_.size_bytes;
}

std::uint64_t Download::prepare_attempt() {
  verdict_ = {};
  if (!expected_.sha256 && size_bytes_ > 0) start_over();
  attempt_start_ = size_bytes_;
  return size_bytes_;
}

void Download::start_over() {
  if (::ftruncate(file_.fd().get(), 0) != 0) throw base::os_error(ErrorKind::output, errno, "cannot keep a download");
  size_bytes_ = 0;
  attempt_start_ = 0;
  hasher_ = base::Hasher(base::HashKind::sha256);
}

bool Download::begin(const HttpHead &head) {
  if (head.status == 200) {
    if (size_bytes_ > 0) start_over();
    return true;
  }
  if (head.range_start == size_bytes_) return true;
  verdict_ = {Failure::bad_range, "the server sends another range than was asked for", {}};
  return false;
}

bool Download::write(std::string_view bytes) {
  network_bytes_ += bytes.size();
  own_network_bytes_ += bytes.size();
  if (bytes.size() > expected_.ceiling_bytes() - size_bytes_) {
    // only a size that the index gave can be a matter of one mirror behind another
    bool is_from_index = expected_.ceiling_bytes() == expected_.size_bytes;
    verdict_ = {is_from_index ? Failure::wrong_body : Failure::too_large,
                fmt::format("larger than {} bytes", expected_.ceiling_bytes()),
                {}};
    return false;
  }
  hasher_.update(bytes);
  while (!bytes.empty()) {
    ssize_t put = ::pwrite(file_.fd().get(), bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw base::os_error(ErrorKind::output, errno, "cannot keep a download");
    bytes.remove_prefix(static_cast<std::size_t>(put));
    size_bytes_ += static_cast<std::uint64_t>(put);
  }
  return true;
}

BodyVerdict Download::check() {
  if (verdict_.failure != Failure::none) return verdict_;
  if (size_bytes_ < expected_.size_bytes) {
    return {Failure::short_body, fmt::format("ended after {} of {} bytes", size_bytes_, expected_.size_bytes), {}};
  }
  if (!expected_.sha256) return {};
  std::string digest = std::exchange(hasher_, base::Hasher(base::HashKind::sha256)).finish();
  if (digest == *expected_.sha256) return {};
  return {Failure::wrong_body, "wrong SHA-256", digest};
}

}  // namespace debroot::fetch
