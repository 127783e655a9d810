/// --timings: where the time of a build went, as a table and as a trace for a viewer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "cli/console.hpp"
#include "debroot/report.hpp"

namespace debroot::cli {

/// One piece of the way through and what its wall time was spent on, all in microseconds. The parts add up to `wall`.
struct TimingRow {
  std::string name;  ///< "indexes", "install", …; "the rest" is what lies between the pieces
  std::uint64_t wall = 0;
  std::uint64_t scripts = 0;    ///< waiting for maintainer scripts
  std::uint64_t hooks = 0;      ///< waiting for hooks
  std::uint64_t unpacking = 0;  ///< waiting for packages to be decompressed
  std::uint64_t network = 0;    ///< waiting for files to arrive
  std::uint64_t own = 0;        ///< everything else: debroot's own work
};

/// The pieces in their order, then the rest, then the whole. A main thread that waits is waiting for decompression
/// while any thread decompresses, else for debroot's own work while any thread does a named piece of that, else for
/// the network.
[[nodiscard]] std::vector<TimingRow> timing_rows(const BuildReport &report);

/// The rows for people.
[[nodiscard]] std::string timings_table(const BuildReport &report);

/// Every span in the trace event format ("Trace Event Format" of the Chromium project), which Perfetto reads too.
[[nodiscard]] std::string chrome_trace(const BuildReport &report);

/// What the user asked for by --timings.
class Timings {
 public:
  /// Opens `path` before the work, so that a place that cannot be written fails at once. Empty: nothing is wanted.
  /// @throws Error of kind output
  explicit Timings(std::string path);
  /// Prints the table to standard error and writes the trace, if they are wanted. @throws Error of kind output
  void show(const BuildReport &report, const Console &console) const;

 private:
  std::string path_;
  base::Fd file_;
};

}  // namespace debroot::cli
