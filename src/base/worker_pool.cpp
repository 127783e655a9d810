#include "base/worker_pool.hpp"

#include <sys/resource.h>

namespace debroot::base {
namespace {

/// Linux has a nice value for each thread (setpriority(2), NOTES). Far enough behind this program's other threads and
/// its children, not so far that other programs of a busy machine take everything. A failure costs nothing but time.
void step_back() noexcept {
  constexpr int kSteps = 4;
  ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kSteps);
}

}  // namespace

WorkerPool::WorkerPool(unsigned jobs, WorkerPriority priority) {
  if (jobs < 2) return;
  threads_.reserve(jobs);
  for (unsigned i = 0; i < jobs; ++i) {
    threads_.emplace_back([this, priority] {
      if (priority == WorkerPriority::background) step_back();
      work();
    });
  }
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    tasks_.clear();
  }
  wake_.notify_all();
}

void WorkerPool::run(std::function<void()> task, std::uint32_t rank) {
  if (threads_.empty()) {
    task();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    tasks_.emplace(rank, std::move(task));
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
      task = std::move(tasks_.begin()->second);
      tasks_.erase(tasks_.begin());
    }
    task();
  }
}

}  // namespace debroot::base
