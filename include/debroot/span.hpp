/// Where the time of a build went, piece by piece.
#pragma once

#include <cstdint>
#include <string>

namespace debroot {

/// What a thread did during a span.
enum class SpanKind {
  stage,      ///< a piece of the way through, on a main thread; the other spans lie within it
  wait,       ///< a main thread had nothing to do until another thread or the network was done
  script,     ///< a maintainer script ran, or a tool inside the root
  hook,       ///< a hook ran
  unpacking,  ///< a package was decompressed and written beside the root
  network,    ///< files were being transferred
  work,       ///< anything else of debroot's own that is worth a name
};

/// debroot's processes that note spans: the one outside, which fetches and chooses, and the builder.
enum class SpanProcess { outside, builder };

/// One thing that one thread did, from `begin` to `end` in microseconds of the machine's monotonic clock, which is one
/// for all processes.
struct Span {
  SpanKind kind = SpanKind::work;
  SpanProcess process = SpanProcess::outside;
  std::uint32_t thread = 0;  ///< 0 is the main thread
  std::string name;          ///< "postinst of dbus_1.14.10-1_amd64"
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

}  // namespace debroot
