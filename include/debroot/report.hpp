/// What a build did, as plain values for the summary, for `plan` and for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "debroot/package.hpp"
#include "debroot/progress.hpp"
#include "debroot/span.hpp"

namespace debroot {

/// One package of the image.
struct ReportedPackage {
  PackageId id;
  bool is_automatic = false;  ///< installed as a dependency only
  std::uint64_t size_bytes = 0;
  std::string sha256;
  std::string pool_path;
  std::string archive;  ///< "http://deb.debian.org/debian bookworm/main", without credentials
  std::string reason;   ///< "essential", "priority important", "requested", "needed by dbus_1.14.10-1_amd64"
};

/// One Release or InRelease file that was used.
struct ReportedRelease {
  std::string url;  ///< without credentials
  std::string suite;
  std::string codename;
  std::string date;    ///< value of its Date field
  std::string sha256;  ///< of the signed file's bytes
};

struct PhaseTime {
  Phase phase = Phase::indexes;
  std::uint64_t milliseconds = 0;
};

struct BuildReport {
  std::vector<ReportedPackage> packages;  ///< in install order
  std::vector<ReportedRelease> releases;
  std::vector<PhaseTime> times;
  std::vector<Span> spans;  ///< where the time went, of both processes
  std::vector<std::string> warnings;
  std::vector<std::string> random_paths;  ///< files that packages draw at random, in the image
  bool is_from_base_state = false;        ///< the packages were not installed: a tree of the cache had them
  std::int64_t source_date_epoch = 0;
  std::uint64_t download_bytes = 0;  ///< fetched from the network, not from the cache
  std::uint64_t output_bytes = 0;
  std::uint64_t milliseconds = 0;
};

}  // namespace debroot
