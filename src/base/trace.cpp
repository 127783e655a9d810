#include "base/trace.hpp"

#include <chrono>
#include <utility>

namespace debroot::base {

Trace::Timer::Timer(Trace &trace, SpanKind kind, std::string name)
    : trace_(trace), kind_(kind), name_(std::move(name)), begin_(now()) {}

Trace::Timer::~Timer() { trace_.note(kind_, std::move(name_), begin_); }

Trace::Trace(SpanProcess process) : process_(process) { threads_.emplace(std::this_thread::get_id(), 0); }

void Trace::note(SpanKind kind, std::string name, std::uint64_t begin) noexcept {
  std::uint64_t end = now();
  try {
    std::lock_guard lock(mutex_);
    auto next = static_cast<std::uint32_t>(threads_.size());
    std::uint32_t thread = threads_.emplace(std::this_thread::get_id(), next).first->second;
    spans_.push_back({kind, process_, thread, std::move(name), begin, end});
  } catch (const std::exception &) {
    // a build does not fail for want of a figure
  }
}

std::vector<Span> Trace::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(spans_, {});
}

std::uint64_t Trace::now() noexcept {
  auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since_start).count());
}

}  // namespace debroot::base
