/// The phases of a build as the outside process sees them.

#include "debroot/build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "base/clock.hpp"
#include "build/archive_indexes.hpp"
#include "build/builder.hpp"
#include "build/directory_output.hpp"
#include "build/package_feed.hpp"
#include "build/selection.hpp"
#include "build/twin_selection.hpp"
#include "fetch/fetcher.hpp"
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

/// Runs one phase between its two events and notes its time.
template <class Work>
auto timed(Phase phase, Progress &progress, BuildReport &report, const Work &work) {
  Clock::time_point start = Clock::now();
  progress.phase_started(phase, {});
  auto result = work();
  std::uint64_t spent = milliseconds_since(start);
  progress.phase_finished(phase, {}, spent);
  report.times.push_back({phase, spent});
  return result;
}

/// Fetching and resolving, which `build` and `plan_packages` share.
struct Chosen {
  build::ArchiveIndexes indexes;
  build::SelectedPackages selected;
};

Chosen choose(const BuildPlan &plan, fetch::Fetcher &fetcher, const debian::AptConfig &config, Progress &progress,
              BuildReport &report, const std::string &twin_architecture) {
  Chosen out;
  out.indexes = timed(Phase::indexes, progress, report,
                      [&] { return build::read_archives(plan, config, fetcher, progress, twin_architecture); });
  out.selected =
      timed(Phase::resolve, progress, report, [&] { return build::select_packages(plan, out.indexes, config); });
  for (SourcesFile &file : out.indexes.sources) {
    out.selected.plan.sources.push_back({std::move(file.path), std::move(file.text)});
  }
  if (!twin_architecture.empty()) build::add_twins(out.selected, out.indexes, twin_architecture);
  out.selected.plan.epoch = plan.source_date_epoch.value_or(out.indexes.newest_date);
  report.packages = out.selected.reported;
  report.releases = out.indexes.releases;
  report.source_date_epoch = out.selected.plan.epoch;
  return out;
}

/// Where the image goes, opened before anything else so that a place that cannot be written fails at once.
struct Outputs {
  std::vector<pack::OutputFile> files;
  std::vector<pack::TarSink> sinks;
  build::DirectoryOutput directory;
};

Outputs open_outputs(const BuildPlan &plan) {
  Outputs out;
  for (const Output &output : plan.outputs) {
    if (output.format == Format::directory) {
      out.directory = build::DirectoryOutput::open(output.path);
    } else if (output.format == Format::tar) {
      out.files.push_back(pack::OutputFile::open(output.path));
      out.sinks.push_back({out.files.back().fd(), output.compression, output.path});
    }
  }
  return out;
}

/// How scripts are kept from the host: as far as the mode asks and the host allows.
sandbox::Confinement choose_confinement(const BuildPlan &plan, Progress &progress) {
  if (plan.mode == Mode::chrootless) return sandbox::Confinement::host;
  if (::geteuid() != 0) return sandbox::Confinement::namespaces;  // refused later where they are not allowed
  std::optional<std::string> cause;
  if (is_skipped(plan.skips, "check/canmount")) cause = "not tried, as asked";
  if (!cause) cause = sandbox::why_no_mounts();
  if (!cause) return sandbox::Confinement::namespaces;
  progress.warning(
      fmt::format("cannot mount, so scripts see no /proc and /sys and are not kept from this system ({})", *cause));
  return sandbox::Confinement::chroot;
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

}  // namespace

BuildReport plan_packages(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  Clock::time_point start = Clock::now();
  debian::AptConfig config = apt_config(plan);
  fetch::Fetcher fetcher(fetch_options(plan, config, stop));
  choose(plan, fetcher, config, progress, report, {});
  report.download_bytes = fetcher.totals().network_bytes;
  report.milliseconds = milliseconds_since(start);
  return report;
}

BuildReport build_image(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  Clock::time_point start = Clock::now();
  debian::AptConfig config = apt_config(plan);

  // places that cannot be written, and hosts that cannot build, fail before anything is fetched
  Outputs outputs = open_outputs(plan);
  fetch::Fetcher fetcher(fetch_options(plan, config, stop));
  sandbox::Confinement confinement = choose_confinement(plan, progress);
  sandbox::Emulation emulation = choose_emulation(plan, confinement);
  sandbox::Staging staging = sandbox::Staging::create(plan.temporary_directory);

  // the builder is forked while this process has one thread
  sandbox::NamespaceRequest namespaces;
  if (confinement == sandbox::Confinement::namespaces) {
    namespaces = sandbox::choose_namespaces(emulation.needs_own_binfmt());
  }
  namespaces.confinement = confinement;
  namespaces.staging_directory = staging.path();
  namespaces.output_directory = outputs.directory.path();
  if (!plan.host_traces.hostname.empty()) namespaces.hostname = plan.host_traces.hostname;
  build::BuilderSetup setup{plan,
                            staging.path(),
                            outputs.directory.path(),
                            outputs.sinks,
                            emulation,
                            confinement,
                            namespaces.id_map ? namespaces.id_map->caller_uid_inside : ::geteuid()};
  sandbox::BuilderHandle builder = sandbox::start_builder(
      namespaces, [&setup](base::Channel channel) { return build::run_builder(setup, std::move(channel)); });

  // threads may exist from here on
  bool is_emulated =
      emulation.kind != sandbox::EmulationKind::native && confinement == sandbox::Confinement::namespaces;
  Chosen chosen = choose(plan, fetcher, config, progress, report, is_emulated ? plan.twin_architecture : std::string());
  build::PackageFeed feed(plan, std::move(chosen.selected), std::move(chosen.indexes.lists), fetcher, builder,
                          progress);
  feed.run(stop, report);

  // the tree is packed: only now do the outputs get their names
  if (int status = builder.wait(); status != 0) {
    throw Error(ErrorKind::internal, fmt::format("the builder ended with status {}", status));
  }
  for (pack::OutputFile &file : outputs.files) file.finish();
  outputs.directory.finish();
  report.download_bytes = fetcher.totals().network_bytes;
  report.milliseconds = milliseconds_since(start);
  return report;
}

}  // namespace debroot
