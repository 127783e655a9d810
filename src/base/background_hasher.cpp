#include "base/background_hasher.hpp"

#include <stop_token>
#include <utility>

namespace debroot::base {

BackgroundHasher::BackgroundHasher(HashKind kind, std::size_t buffer_bytes)
    : hasher_(kind), waiting_(buffer_bytes), thread_([this](const std::stop_token &stop) { work(stop); }) {}

BackgroundHasher::~BackgroundHasher() {
  thread_.request_stop();
  changed_.notify_all();
}

std::vector<char> BackgroundHasher::exchange(std::vector<char> buffer, std::size_t used) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return used_ == 0; });
  std::swap(waiting_, buffer);
  used_ = used;
  changed_.notify_all();
  return buffer;
}

std::string BackgroundHasher::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return used_ == 0; });
  return hasher_.finish();
}

void BackgroundHasher::work(const std::stop_token &stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return used_ != 0; })) {
    std::size_t used = used_;
    lock.unlock();  // nobody touches the buffer while used_ is not 0
    hasher_.update({waiting_.data(), used});
    lock.lock();
    used_ = 0;
    changed_.notify_all();
  }
}

}  // namespace debroot::base
