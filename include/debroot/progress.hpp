/// What a build tells while it runs. Modules emit events; only cli/ draws them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace debroot {

/// The phases of a build in the order they begin; some overlap (packages are unpacked while others still download).
/// `restore` stands for download, unpack and configure in a build that begins with a base state of the cache.
enum class Phase { indexes, resolve, download, unpack, configure, customize, pack, restore };

/// Name of a phase as it is shown and as JSON carries it: "indexes", "resolve", …
[[nodiscard]] constexpr std::string_view phase_name(Phase phase) noexcept {
  switch (phase) {
    case Phase::indexes:
      return "indexes";
    case Phase::resolve:
      return "resolve";
    case Phase::download:
      return "download";
    case Phase::unpack:
      return "unpack";
    case Phase::configure:
      return "configure";
    case Phase::customize:
      return "customize";
    case Phase::pack:
      return "pack";
    case Phase::restore:
      return "restore";
  }
  return "unknown";
}

/// How far a phase is. Totals of 0 mean "not known".
struct PhaseCount {
  std::uint64_t items_done = 0;
  std::uint64_t items_total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
};

/// Receives the events of one build. Every function may be called from the main thread only, must return quickly and
/// never throws: showing progress must not be able to fail a build.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  virtual ~Progress() = default;

  /// A phase begins; `total` holds what is known of its size.
  virtual void phase_started(Phase phase, const PhaseCount &total) noexcept = 0;
  /// A phase moved; `current` names the item being worked on ("bash_5.2.15-2+b7_amd64"), empty if there is none.
  virtual void phase_advanced(Phase phase, const PhaseCount &count, std::string_view current) noexcept = 0;
  /// A phase ended after `milliseconds` of wall time.
  virtual void phase_finished(Phase phase, const PhaseCount &count, std::uint64_t milliseconds) noexcept = 0;
  /// Something worth a line of the log at normal verbosity ("suite 'buster' is past its end: using
  /// archive.debian.org").
  virtual void note(std::string_view text) noexcept = 0;
  /// Something that may be wrong but does not stop the build.
  virtual void warning(std::string_view text) noexcept = 0;
  /// One line that a maintainer script or a hook wrote; shown only in verbose mode. `origin` is for example
  /// "postinst of dbus_1.14.10-1_amd64".
  virtual void script_output(std::string_view origin, std::string_view line) noexcept = 0;
  /// The same of a hook, which its author may want to see without being asked.
  virtual void hook_output(std::string_view origin, std::string_view line) noexcept { script_output(origin, line); }
  /// A step that has a line in mmdebstrap's log and is no phase here ("running --setup-hook directly: true /root").
  virtual void step(std::string_view) noexcept {}
  /// Time passed without an event. The main thread calls it about five times a second while it waits, so that clocks
  /// on the screen go on; there is no thread that does it.
  virtual void tick() noexcept {}
};

}  // namespace debroot
