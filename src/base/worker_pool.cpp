#include "base/worker_pool.hpp"

namespace debroot::base {

WorkerPool::WorkerPool(unsigned jobs) {
  if (jobs < 2) return;
  threads_.reserve(jobs);
  for (unsigned i = 0; i < jobs; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    tasks_.clear();
  }
  wake_.notify_all();
}

void WorkerPool::run(std::function<void()> task) {
  if (threads_.empty()) {
    task();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void WorkerPool::work() {
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace debroot::base
