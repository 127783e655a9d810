/// The phases of a build as the outside process sees them.

#include "debroot/build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/trace.hpp"
#include "build/archive_indexes.hpp"
#include "build/base_state.hpp"
#include "build/builder.hpp"
#include "build/directory_output.hpp"
#include "build/package_feed.hpp"
#include "build/plan_memory.hpp"
#include "build/program_identity.hpp"
#include "build/root_state.hpp"
#include "build/selection.hpp"
#include "build/twin_selection.hpp"
#include "customize/hook_listener.hpp"
#include "fetch/fetcher.hpp"
#include "pack/oci_image.hpp"
#include "pack/output_file.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/emulation.hpp"
#include "sandbox/staging.hpp"

namespace debroot {
namespace {

using base::Clock;
using base::milliseconds_since;

debian::AptConfig apt_config(const BuildPlan &plan) {
  debian::AptConfig config;
  for (const std::string &option : plan.apt_options) config.parse(option + ";");
  return config;
}

fetch::FetchOptions fetch_options(const BuildPlan &plan, const debian::AptConfig &config, const std::stop_token &stop) {
  fetch::FetchOptions options;
  options.cache = plan.cache;
  options.temporary_directory = plan.temporary_directory;
  options.proxies.http = config.find("Acquire::http::Proxy").value_or("");
  options.proxies.https = config.find("Acquire::https::Proxy").value_or("");
  options.stop = stop;
  return options;
}

/// Whoever wants to know how the build goes.
struct Witness {
  Progress &progress;
  BuildReport &report;
  base::Trace &trace;
  int shown_steps;  ///< the builder waits there for the end of each step's line
};

/// Runs one phase between its two events and notes its time.
template <class Work>
auto timed(Phase phase, const Witness &witness, const Work &work) {
  Clock::time_point start = Clock::now();
  base::Trace::Timer timer = witness.trace.time(SpanKind::stage, std::string(phase_name(phase)));
  witness.progress.phase_started(phase, {});
  auto result = work();
  std::uint64_t spent = milliseconds_since(start);
  witness.progress.phase_finished(phase, {}, spent);
  witness.report.times.push_back({phase, spent});
  return result;
}

/// What packages are chosen by. Setup hooks may change all of it.
struct Basis {
  BuildPlan plan;
  debian::AptConfig config;
  std::vector<resolve::Pin> preferences;
  std::string status;  ///< dpkg's
};

/// Fetching and resolving, which `build` and `plan_packages` share.
struct Chosen {
  build::ArchiveIndexes indexes;
  build::SelectedPackages selected;
};

build::ArchiveIndexes read_indexes(const Basis &basis, fetch::Fetcher &fetcher, const Witness &witness,
                                   const std::string &twin_architecture, build::PlanMemory &memory) {
  return timed(Phase::indexes, witness, [&] {
    return build::read_archives(basis.plan, basis.config, fetcher, witness.progress, witness.trace, twin_architecture,
                                basis.status,
                                [&](const build::ArchiveIndexes &opened) { return memory.recall(opened); });
  });
}

void set_sources(const std::vector<SourcesFile> &sources, build::InstallPlan &plan) {
  for (const SourcesFile &file : sources) plan.sources.push_back({file.path, file.text});
}

Chosen choose(const Basis &basis, build::ArchiveIndexes indexes, const Witness &witness,
              const std::string &twin_architecture, build::PlanMemory &memory) {
  Chosen out{std::move(indexes), {}};
  out.selected = timed(Phase::resolve, witness, [&] {
    if (auto known = memory.take()) return std::move(*known);
    build::SelectedPackages selected = build::select_packages(basis.plan, out.indexes, basis.config, basis.preferences);
    if (!twin_architecture.empty()) build::add_twins(selected, out.indexes, twin_architecture);
    memory.remember(out.indexes, selected);
    return selected;
  });
  set_sources(out.indexes.sources, out.selected.plan);
  out.selected.plan.epoch = basis.plan.source_date_epoch.value_or(out.indexes.newest_date);
  witness.report.packages = out.selected.reported;
  witness.report.releases = out.indexes.releases;
  witness.report.source_date_epoch = out.selected.plan.epoch;
  return out;
}

/// Runs the setup hooks and changes `basis` to what they made of the root. They run before anything is fetched, since
/// the archive may be of their making; only where the time of the image is that of the archive, that is read first.
/// @return the indexes if they are read already and still those that count
std::optional<build::ArchiveIndexes> run_setup_hooks(Basis &basis, std::optional<fetch::Fetcher> &fetcher,
                                                     sandbox::BuilderHandle &builder, const Witness &witness,
                                                     const std::stop_token &stop,
                                                     const std::string &twin_architecture) {
  std::optional<build::ArchiveIndexes> early;
  build::SelectedPackages first;
  std::vector<build::ListFile> lists;
  if (!basis.plan.source_date_epoch) {
    build::PlanMemory none;
    early = read_indexes(basis, *fetcher, witness, twin_architecture, none);
    for (const build::ListFile &list : early->lists) lists.push_back({list.name, list.file.duplicate()});
    basis.plan.has_default_sources = false;  // where they are is known now
    basis.plan.sources = early->sources;
  }
  first.plan.epoch = basis.plan.source_date_epoch.value_or(early ? early->newest_date : 0);
  set_sources(basis.plan.sources, first.plan);
  build::PackageFeed feed(basis.plan, std::move(first), std::move(lists), *fetcher, builder, witness.progress,
                          witness.trace);
  feed.tell_of_steps(witness.shown_steps);
  build::RootState state = feed.run_setup_hooks(stop, witness.report);

  std::vector<SourcesFile> sources = build::sources_in(state, basis.plan.sources, basis.plan.architecture);
  bool has_same_sources = build::are_same_sources(sources, basis.plan.sources);
  if (!has_same_sources) basis.plan.has_default_sources = false;
  basis.plan.sources = std::move(sources);
  basis.config = build::apt_config_in(state);
  basis.preferences = build::preferences_in(state);
  basis.status = std::move(state.status);
  fetcher.emplace(fetch_options(basis.plan, basis.config, stop));  // they may have set a proxy
  // a hook has updated in apt's place, from these sources: what it fetched is read from where it came, and verified
  bool has_updated = state.has_lists && std::erase(basis.plan.skips, "update") > 0;
  bool is_early_true = early && has_same_sources && base::trim(basis.status).empty() && !has_updated;
  return is_early_true ? std::move(early) : std::nullopt;
}

/// Where the image goes, opened before anything else so that a place that cannot be written fails at once.
struct Outputs {
  std::vector<pack::OutputFile> files;
  std::vector<pack::OciImage> oci_images;
  std::vector<pack::ImageSink> sinks;
  build::DirectoryOutput directory;
};

Outputs open_outputs(const BuildPlan &plan) {
  Outputs out;
  for (const Output &output : plan.outputs) {
    if (output.format == Format::null) continue;
    if (output.format == Format::directory) {
      out.directory = build::DirectoryOutput::open(output.path, is_skipped(plan.skips, "check/empty"));
      continue;
    }
    int fd = -1;
    if (output.format == Format::oci) {
      out.oci_images.push_back(pack::OciImage::open(output.path));
      fd = out.oci_images.back().fd();
    } else {
      out.files.push_back(pack::OutputFile::open(output.path));
      fd = out.files.back().fd();
    }
    out.sinks.push_back({fd, output.compression, output.path, output.format});
  }
  return out;
}

pack::OciSettings oci_settings(const BuildPlan &plan, const BuildReport &report, const std::string &tar_digest) {
  bool has_essential = plan.variant != Variant::extract && plan.variant != Variant::custom;
  return {plan.architecture, report.source_date_epoch, tar_digest, has_essential};
}

/// How scripts are kept from the host: as far as the mode asks and the host allows.
sandbox::Confinement choose_confinement(const BuildPlan &plan, Progress &progress) {
  if (plan.mode == Mode::chrootless) return sandbox::Confinement::host;
  if (::geteuid() != 0) return sandbox::Confinement::namespaces;  // refused later where they are not allowed
  std::optional<std::string> cause;
  if (is_skipped(plan.skips, "check/canmount")) cause = "not tried, as asked";
  if (!cause) cause = sandbox::why_no_mounts();
  if (!cause) return sandbox::Confinement::namespaces;
  if (plan.mode == Mode::unshare && !is_skipped(plan.skips, "check/canmount")) {
    throw Error(ErrorKind::sandbox, fmt::format("mode 'unshare' is not possible here: cannot {}", *cause))
        .hint("--mode=root goes without namespaces and mounts where they are forbidden");
  }
  progress.warning(
      fmt::format("cannot mount, so scripts see no /proc and /sys and are not kept from this system ({})", *cause));
  return sandbox::Confinement::chroot;
}

/// The mode as hooks are told it.
std::string_view mode_of_hooks(const BuildPlan &plan) {
  if (plan.mode == Mode::chrootless) return "chrootless";
  return ::geteuid() != 0 || plan.mode == Mode::unshare ? "unshare" : "root";
}

/// How programs of the image run. Without a mount of one's own only what the host has registered counts.
sandbox::Emulation choose_emulation(const BuildPlan &plan, sandbox::Confinement confinement) {
  sandbox::Emulation native{plan.architecture, sandbox::EmulationKind::native, {}};
  bool runs_nothing = plan.variant == Variant::extract || confinement == sandbox::Confinement::host;
  if (runs_nothing || is_skipped(plan.skips, "check/qemu")) return native;
  sandbox::Emulation found = sandbox::find_emulation(plan.architecture);
  if (found.needs_own_binfmt() && confinement != sandbox::Confinement::namespaces) {
    throw Error(ErrorKind::sandbox,
                fmt::format("cannot run programs of architecture '{}': mounts are forbidden here", plan.architecture))
        .hint("register its emulator on the host; on Debian: apt install qemu-user-static");
  }
  return found;
}

/// Where hooks of mmdebstrap's see a tree that has no place of its own: some look at the name.
std::optional<sandbox::Staging> make_hook_root(const BuildPlan &plan, const Outputs &outputs,
                                               sandbox::Confinement confinement) {
  bool may_mount = confinement == sandbox::Confinement::namespaces;
  if (!plan.hooks_are_mmdebstraps || !may_mount || !outputs.directory.path().empty()) return std::nullopt;
  return sandbox::Staging::create(plan.temporary_directory, sandbox::kHookRootPrefix);
}

}  // namespace

BuildReport plan_packages(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  Clock::time_point start = Clock::now();
  Basis basis{plan, apt_config(plan), {}, {}};
  fetch::Fetcher fetcher(fetch_options(plan, basis.config, stop));
  base::Trace trace(SpanProcess::outside);
  Witness witness{progress, report, trace, -1};
  build::PlanMemory memory(plan, {});
  choose(basis, read_indexes(basis, fetcher, witness, {}, memory), witness, {}, memory);
  report.spans = trace.take();
  report.download_bytes = fetcher.totals().network_bytes;
  report.milliseconds = milliseconds_since(start);
  return report;
}

BuildReport build_image(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  Clock::time_point start = Clock::now();
  base::Trace trace(SpanProcess::outside);
  auto [steps_to_take, steps_shown] = base::make_pipe();
  Witness witness{progress, report, trace, steps_shown.get()};
  Basis basis{plan, apt_config(plan), {}, {}};

  // places that cannot be written, and hosts that cannot build, fail before anything is fetched
  Outputs outputs = open_outputs(plan);
  std::optional<fetch::Fetcher> fetcher(std::in_place, fetch_options(plan, basis.config, stop));
  sandbox::Confinement confinement = choose_confinement(plan, progress);
  sandbox::Emulation emulation = choose_emulation(plan, confinement);
  sandbox::Staging staging = sandbox::Staging::create(plan.temporary_directory);
  std::optional<sandbox::Staging> hook_root = make_hook_root(plan, outputs, confinement);
  const std::string &shown_place = hook_root ? hook_root->path() : staging.path();
  bool has_staging_line = outputs.directory.path().empty();
  if (has_staging_line) progress.step(fmt::format("using {} as tempdir", shown_place));

  // the builder, and who copies for its hooks, are forked while this process has one thread
  customize::HookListener hook_listener;
  if (!plan.hooks.empty()) hook_listener = customize::HookListener::start();
  sandbox::NamespaceRequest namespaces;
  if (confinement == sandbox::Confinement::namespaces) {
    namespaces = sandbox::choose_namespaces(emulation.needs_own_binfmt());
  }
  namespaces.confinement = confinement;
  namespaces.staging_directories = {staging.path()};
  if (hook_root) namespaces.staging_directories.push_back(hook_root->path());
  // what a failed build leaves in a directory with other things in it cannot be told from them
  if (!outputs.directory.is_filled()) namespaces.output_directory = outputs.directory.path();
  if (!plan.host_traces.hostname.empty()) namespaces.hostname = plan.host_traces.hostname;
  build::BuilderSetup setup{plan,
                            staging.path(),
                            hook_root ? hook_root->path() : std::string(),
                            outputs.directory.path(),
                            outputs.directory.is_filled(),
                            outputs.sinks,
                            emulation,
                            confinement,
                            namespaces.id_map && ::geteuid() != 0,
                            namespaces.id_map ? namespaces.id_map->caller_uid_inside : ::geteuid(),
                            mode_of_hooks(plan),
                            steps_to_take.get(),
                            hook_listener.socket()};
  sandbox::BuilderHandle builder = sandbox::start_builder(
      namespaces, [&setup](base::Channel channel) { return build::run_builder(setup, std::move(channel)); });

  // threads may exist from here on
  bool is_emulated =
      emulation.kind != sandbox::EmulationKind::native && confinement == sandbox::Confinement::namespaces;
  std::string twin_architecture = is_emulated ? plan.twin_architecture : std::string();
  std::optional<build::ArchiveIndexes> indexes;
  if (has_hooks(plan.hooks, HookStage::setup)) {
    indexes = run_setup_hooks(basis, fetcher, builder, witness, stop, twin_architecture);
  }
  build::PlanMemory memory(plan, twin_architecture);
  if (!indexes) indexes = read_indexes(basis, *fetcher, witness, twin_architecture, memory);
  Chosen chosen = choose(basis, std::move(*indexes), witness, twin_architecture, memory);
  build::StateSurroundings surroundings{
      confinement, namespaces.id_map.has_value(), !outputs.directory.path().empty(), outputs.directory.is_filled(),
      emulation,   build::kernel_identity(),      build::program_identity()};
  build::BaseStateTurn state(plan, chosen.selected.plan, surroundings, progress);
  build::PackageFeed feed(plan, std::move(chosen.selected), std::move(chosen.indexes.lists), *fetcher, builder,
                          progress, trace, &state);
  feed.tell_of_steps(witness.shown_steps);
  feed.run(stop, report);

  // the tree is packed: only now do the outputs get their names
  if (int status = builder.wait(); status != 0) {
    throw Error(ErrorKind::internal, fmt::format("the builder ended with status {}", status));
  }
  for (pack::OutputFile &file : outputs.files) file.finish();
  for (pack::OciImage &image : outputs.oci_images) image.finish(oci_settings(plan, report, feed.tar_digest()));
  outputs.directory.finish();
  report.download_bytes = fetcher->totals().network_bytes;
  if (has_staging_line) progress.step(fmt::format("removing tempdir {}...", shown_place));
  report.milliseconds = milliseconds_since(start);
  for (Span &span : trace.take()) report.spans.push_back(std::move(span));
  return report;
}

}  // namespace debroot
