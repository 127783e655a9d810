/// What the outside process tells the builder once the packages are chosen. The BuildPlan itself needs no message: the
/// builder is forked with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/trace.hpp"
#include "cache/state_parts.hpp"
#include "debroot/package.hpp"
#include "debroot/progress.hpp"

namespace debroot {

template <class Wire>
void fields(Wire &wire, PackageId &id) {
  wire(id.name, id.version, id.architecture);
}

}  // namespace debroot

namespace debroot::build {

/// One package of the image. Its .deb follows as a file descriptor.
struct PlannedPackage {
  PackageId id;
  std::string sha256;
  std::uint64_t size_bytes = 0;            ///< of the .deb
  std::uint64_t installed_size_bytes = 0;  ///< Installed-Size, an estimate
  bool is_local = false;                   ///< a file of this machine, which apt would not copy into its cache
};

/// A package of the host's architecture that is unpacked beside the image (twins/). Its number among the .debs that
/// follow is that of its place in InstallPlan::twins behind all packages.
struct PlannedTwin {
  PlannedPackage package;
  std::uint32_t with = 0;        ///< number of the image's package with which it may be seen
  bool is_perl_library = false;  ///< without it no twin of perl may run
};

/// One dpkg invocation that apt would make.
enum class RunKind { unpack, configure, configure_pending };
struct PlannedRun {
  RunKind kind = RunKind::unpack;
  std::vector<std::uint32_t> packages;  ///< numbers in InstallPlan::packages
};

/// One file of apt's sources, or of its other settings. The BuildPlan's may not be those: a suite past its end is taken
/// from another archive.
struct SourcesText {
  std::string path;
  std::string text;
};

/// What hooks have made of the root (root_state.hpp).
struct RootState {
  std::vector<SourcesText> files;  ///< of /etc/apt
  std::string status;              ///< dpkg's
  std::vector<std::string> lists;  ///< names of what a hook's apt has fetched; ours are not there between stages
};

struct InstallPlan {
  std::int64_t epoch = 0;  ///< SOURCE_DATE_EPOCH, given or derived
  std::vector<SourcesText> sources;
  std::vector<PlannedPackage> packages;
  std::vector<std::uint32_t> first;      ///< unpacked together before any script, then `dpkg --install` in this order
  std::vector<PlannedRun> runs;          ///< what apt does afterwards
  bool is_rest_open = false;             ///< what apt does can only be chosen when the hooks in between have run
  std::vector<std::uint32_t> automatic;  ///< marked as automatically installed, in the order apt would write them
  /// Asked of apt, though they are in the root before its part: marked as installed by hand from then on.
  std::vector<PackageId> asked_again;
  std::string dpkg_version;             ///< version of the image's dpkg, empty when it has none
  std::vector<std::string> list_names;  ///< names under /var/lib/apt/lists of the index files sent along, for hooks
  std::string twin_architecture;        ///< of `twins`
  std::vector<PlannedTwin> twins;       ///< none: every program is the image's own
  std::vector<std::string> emulated;    ///< packages with tools that have no twin, for the log
};

/// The numbers of all .debs, twins' too, in the order in which they are wanted. The first script needs the twins, so
/// they come right behind the packages that are unpacked before it.
[[nodiscard]] std::vector<std::uint32_t> order_of_need(const InstallPlan &plan);

template <class Wire>
void fields(Wire &wire, PlannedPackage &package) {
  wire(package.id, package.sha256, package.size_bytes, package.installed_size_bytes, package.is_local);
}
template <class Wire>
void fields(Wire &wire, PlannedTwin &twin) {
  wire(twin.package, twin.with, twin.is_perl_library);
}
template <class Wire>
void fields(Wire &wire, PlannedRun &run) {
  wire(run.kind, run.packages);
}
template <class Wire>
void fields(Wire &wire, SourcesText &file) {
  wire(file.path, file.text);
}
template <class Wire>
void fields(Wire &wire, RootState &state) {
  wire(state.files, state.status, state.lists);
}
template <class Wire>
void fields(Wire &wire, InstallPlan &plan) {
  wire(plan.epoch, plan.sources, plan.packages, plan.first, plan.runs, plan.is_rest_open, plan.automatic,
       plan.asked_again, plan.dpkg_version, plan.list_names, plan.twin_architecture, plan.twins, plan.emulated);
}

/// Text of a message of kind state_restored.
inline constexpr std::string_view kDamagedState = "damaged";

/// What a build has to do with base states.
enum class StateTask {
  none,
  restore,  ///< begin with the one whose descriptor comes along; when it cannot be used, wait for the packages
  digest,   ///< say what the state is once it is reached
  keep,     ///< and write it to the descriptor that comes along
};
struct StateOrder {
  StateTask task = StateTask::none;
  cache::StateParts parts;  ///< of the state to restore
};
template <class Wire>
void fields(Wire &wire, StateOrder &order) {
  wire(order.task, order.parts);
}

/// From the outside to the builder.
struct ToBuilder {
  enum class Kind {
    /// `plan`, then the descriptors of its index files in messages of kind list. Where there are setup hooks it comes
    /// twice: before them without packages, and once they have run. Where later hooks have changed what packages are
    /// chosen by, another one comes in place of all packages that are still missing: it has no `first`.
    plan,
    list,     ///< descriptor of the index file `number` of list_names
    package,  ///< descriptor of the .deb of package `number`, or of twin `number` minus the packages
    absent,   ///< the .deb of that twin cannot be had
  };
  Kind kind = Kind::plan;
  InstallPlan plan;
  std::uint32_t number = 0;
  StateOrder state = {};  ///< of a plan
};
template <class Wire>
void fields(Wire &wire, ToBuilder &message) {
  wire(message.kind, message.plan, message.number, message.state);
}

/// From the builder to the outside: `root_state` once setup hooks have run, if there are any, and again when packages
/// have to be chosen anew, events of its phases, then `done` or `failed`.
struct FromBuilder {
  enum class Kind {
    phase_started,
    phase_advanced,
    phase_finished,
    note,
    warning,
    script_output,
    hook_output,
    step,  ///< `subject`; the builder waits until it is told that the line was shown
    root_state,
    /// Answer to an order to restore; `subject` says why not, empty: it is done. `text` is then "damaged" if the state
    /// is to blame.
    state_restored,
    state_seen,  ///< `state`, or in `paths` the files that forbid to keep it; in `subject` why it is not known
    done,
    failed,
  };
  Kind kind = Kind::note;
  Phase phase = Phase::unpack;
  std::uint64_t items_done = 0;
  std::uint64_t items_total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t milliseconds = 0;
  std::string subject;  ///< item, origin of output, or the text of a note
  std::string text;     ///< a line of output; for `failed` the Error as bytes, for `done` the digest of the tar
  std::vector<std::string> paths;  ///< of `done` and `state_seen`: files that packages drew at random
  std::uint64_t output_bytes = 0;  ///< of `done`
  RootState root_state;
  std::vector<Span> spans;  ///< of `done`: where the builder's time went
  cache::StateParts state;  ///< of `state_seen`
};
template <class Wire>
void fields(Wire &wire, FromBuilder &message) {
  wire(message.kind, message.phase, message.items_done, message.items_total, message.bytes_done, message.bytes_total,
       message.milliseconds, message.subject, message.text, message.paths, message.output_bytes, message.root_state,
       message.spans, message.state);
}

}  // namespace debroot::build
