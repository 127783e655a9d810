/// Notes where time goes. Recording is always on: a build has a few thousand spans, which cost less than asking whether
/// they are wanted.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "debroot/span.hpp"

namespace debroot::base {

/// The spans of one process. Every function may be called from any thread.
class Trace {
 public:
  /// Notes a span from its making to its end.
  class Timer {
   public:
    Timer(Trace &trace, SpanKind kind, std::string name);
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer();

   private:
    Trace &trace_;
    SpanKind kind_;
    std::string name_;
    std::uint64_t begin_;
  };

  /// The calling thread is the process's main one.
  explicit Trace(SpanProcess process);
  Trace(const Trace &) = delete;
  Trace &operator=(const Trace &) = delete;
  ~Trace() = default;

  /// Times what happens until the value that is returned goes.
  [[nodiscard]] Timer time(SpanKind kind, std::string name) { return {*this, kind, std::move(name)}; }
  /// Notes a span of the calling thread that ends now. `begin` as of now().
  void note(SpanKind kind, std::string name, std::uint64_t begin) noexcept;
  /// Every span so far, in the order in which they ended; the trace is empty then.
  [[nodiscard]] std::vector<Span> take();

  /// Microseconds of the monotonic clock.
  [[nodiscard]] static std::uint64_t now() noexcept;

 private:
  std::mutex mutex_;
  SpanProcess process_;
  std::map<std::thread::id, std::uint32_t> threads_;
  std::vector<Span> spans_;
};

}  // namespace debroot::base

namespace debroot {

template <class Wire>
void fields(Wire &wire, Span &span) {
  wire(span.kind, span.process, span.thread, span.name, span.begin, span.end);
}

}  // namespace debroot
