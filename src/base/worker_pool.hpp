/// Worker threads with ordered results.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace debroot::base {

/// `background`: the threads give way to whatever else wants a processor.
enum class WorkerPriority { normal, background };

/// Runs tasks on `jobs` threads; with one job a task runs inside `submit`, on the caller's thread, so that there is
/// nothing to wait for and the same code serves both. The caller takes results from the futures in the order it wants
/// (plan order), which keeps output and the error that is reported free of timing.
class WorkerPool {
 public:
  explicit WorkerPool(unsigned jobs, WorkerPriority priority = WorkerPriority::normal);
  WorkerPool(const WorkerPool &) = delete;
  WorkerPool &operator=(const WorkerPool &) = delete;
  /// Drops tasks that have not begun and waits for the others.
  ~WorkerPool();

  /// Of the tasks that wait the one with the lowest `rank` is begun first, of those with the same the oldest.
  /// @return the task's value, or the exception it threw
  template <class Task>
  [[nodiscard]] auto submit(Task task, std::uint32_t rank = 0) -> std::future<std::invoke_result_t<Task>> {
    auto package = std::make_shared<std::packaged_task<std::invoke_result_t<Task>()>>(std::move(task));
    auto future = package->get_future();
    run([package] { (*package)(); }, rank);
    return future;
  }

 private:
  void run(std::function<void()> task, std::uint32_t rank);
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<std::uint32_t, std::function<void()>> tasks_;  ///< by rank; equal ones stay in their order
  bool is_stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace debroot::base
