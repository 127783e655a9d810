/// The phases of a build as the outside process sees them.

#include "debroot/build.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "base/clock.hpp"
#include "base/trace.hpp"
#include "build/base_state.hpp"
#include "build/builder.hpp"
#include "build/directory_output.hpp"
#include "build/package_choice.hpp"
#include "build/package_feed.hpp"
#include "build/program_identity.hpp"
#include "customize/hook_listener.hpp"
#include "pack/oci_image.hpp"
#include "pack/output_file.hpp"
#include "sandbox/builder_process.hpp"
#include "sandbox/emulation.hpp"
#include "sandbox/staging.hpp"

namespace debroot {
namespace {

using build::ChosenPackages;
using build::PackageChoice;
using build::Witness;

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
    out.sinks.push_back({fd, output.compression, output.path, output.format, output.level});
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

/// Where the tree is built and what it becomes, and what this host lets a build do.
struct Place {
  Outputs outputs;
  sandbox::Confinement confinement;
  sandbox::Emulation emulation;
  sandbox::Staging staging;
  std::optional<sandbox::Staging> hook_root;
};

/// Places that cannot be written, and hosts that cannot build, fail here, before anything is fetched.
Place open_place(const BuildPlan &plan, Progress &progress) {
  Outputs outputs = open_outputs(plan);
  sandbox::Confinement confinement = choose_confinement(plan, progress);
  sandbox::Emulation emulation = choose_emulation(plan, confinement);
  sandbox::Staging staging = sandbox::Staging::create(plan.temporary_directory);
  std::optional<sandbox::Staging> hook_root = make_hook_root(plan, outputs, confinement);
  return {std::move(outputs), confinement, std::move(emulation), std::move(staging), std::move(hook_root)};
}

/// Whose tools a foreign image is lent.
std::string twin_architecture(const BuildPlan &plan, const Place &place) {
  bool is_emulated =
      place.emulation.kind != sandbox::EmulationKind::native && place.confinement == sandbox::Confinement::namespaces;
  return is_emulated ? plan.twin_architecture : std::string();
}

sandbox::NamespaceRequest namespaces_for(const BuildPlan &plan, const Place &place) {
  sandbox::NamespaceRequest out;
  if (place.confinement == sandbox::Confinement::namespaces) {
    out = sandbox::choose_namespaces(place.emulation.needs_own_binfmt());
  }
  out.confinement = place.confinement;
  out.staging_directories = {place.staging.path()};
  if (place.hook_root) out.staging_directories.push_back(place.hook_root->path());
  // what a failed build leaves in a directory with other things in it cannot be told from them
  const build::DirectoryOutput &directory = place.outputs.directory;
  if (!directory.is_filled()) out.output_directory = directory.path();
  if (!plan.host_traces.hostname.empty()) out.hostname = plan.host_traces.hostname;
  return out;
}

build::BuilderSetup setup_for(const BuildPlan &plan, const Place &place, const sandbox::NamespaceRequest &namespaces) {
  build::BuilderSetup setup{plan};
  setup.staging_path = place.staging.path();
  if (place.hook_root) setup.hook_root = place.hook_root->path();
  setup.directory_output = place.outputs.directory.path();
  setup.is_directory_filled = place.outputs.directory.is_filled();
  setup.sinks = place.outputs.sinks;
  setup.emulation = place.emulation;
  setup.confinement = place.confinement;
  setup.is_in_user_namespace = namespaces.id_map && ::geteuid() != 0;
  setup.caller_uid_inside = namespaces.id_map ? namespaces.id_map->caller_uid_inside : ::geteuid();
  setup.mode = mode_of_hooks(plan);
  return setup;
}

build::StateSurroundings surroundings_of(const Place &place, const sandbox::NamespaceRequest &namespaces) {
  const build::DirectoryOutput &directory = place.outputs.directory;
  return {place.confinement, namespaces.id_map.has_value(), !directory.path().empty(), directory.is_filled(),
          place.emulation,   build::kernel_identity(),      build::program_identity()};
}

/// What goes on while the builder works.
struct Work {
  const BuildPlan &plan;
  PackageChoice &choice;
  sandbox::BuilderHandle &builder;
  const Witness &witness;
  const std::stop_token &stop;
  int shown_steps;  ///< the builder waits there for the end of each step's line
};

/// @return what hooks have made of the root, when packages have to be chosen by it; nothing: the build is done, and
/// `tar_digest` is that of the image
std::optional<build::RootState> feed_packages(const Work &work, ChosenPackages chosen, build::BaseStateTurn *state,
                                              std::string &tar_digest) {
  build::PackageFeed feed(work.plan, std::move(chosen.selected), std::move(chosen.lists), work.choice.fetcher(),
                          work.builder, work.witness.progress, work.witness.trace, state);
  feed.tell_of_steps(work.shown_steps);
  std::optional<build::RootState> changed = feed.run(work.stop, work.witness.report);
  tar_digest = feed.tar_digest();
  return changed;
}

/// From setup hooks to the finished tree. @return the digest of its tar
std::string feed_builder(const Work &work, const build::StateSurroundings &surroundings) {
  PackageChoice &choice = work.choice;
  std::string tar_digest;
  if (has_hooks(work.plan.hooks, HookStage::setup)) {
    choice.take_setup_hooks(feed_packages(work, choice.before_setup_hooks(), nullptr, tar_digest).value());
  }
  ChosenPackages chosen = choice.choose();
  build::BaseStateTurn state(work.plan, chosen.selected.plan, surroundings, work.witness.progress);
  std::optional<build::RootState> changed = feed_packages(work, std::move(chosen), &state, tar_digest);
  if (changed) feed_packages(work, choice.choose_rest(std::move(*changed)), nullptr, tar_digest);
  return tar_digest;
}

void finish_outputs(Outputs &outputs, const BuildPlan &plan, const BuildReport &report, const std::string &tar_digest) {
  for (pack::OutputFile &file : outputs.files) file.finish();
  for (pack::OciImage &image : outputs.oci_images) image.finish(oci_settings(plan, report, tar_digest));
  outputs.directory.finish();
}

}  // namespace

BuildReport plan_packages(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  base::Clock::time_point start = base::Clock::now();
  base::Trace trace(SpanProcess::outside);
  PackageChoice choice(plan, {}, {progress, report, trace}, stop);
  ChosenPackages chosen = choice.choose();
  if (chosen.selected.rest_failure) throw std::move(*chosen.selected.rest_failure);
  report.spans = trace.take();
  report.download_bytes = choice.network_bytes();
  report.milliseconds = base::milliseconds_since(start);
  return report;
}
BuildReport build_image(const BuildPlan &plan, Progress &progress, const std::stop_token &stop) {
  BuildReport report;
  base::Clock::time_point start = base::Clock::now();
  base::Trace trace(SpanProcess::outside);
  Place place = open_place(plan, progress);
  Witness witness{progress, report, trace};
  PackageChoice choice(plan, twin_architecture(plan, place), witness, stop);
  const std::string &shown_place = place.hook_root ? place.hook_root->path() : place.staging.path();
  bool has_staging_line = place.outputs.directory.path().empty();
  if (has_staging_line) progress.step(fmt::format("using {} as tempdir", shown_place));

  // the builder, and who copies for its hooks, are forked while this process has one thread
  customize::HookListener hook_listener;
  if (!plan.hooks.empty()) hook_listener = customize::HookListener::start();
  auto [steps_to_take, steps_shown] = base::make_pipe();
  sandbox::NamespaceRequest namespaces = namespaces_for(plan, place);
  build::BuilderSetup setup = setup_for(plan, place, namespaces);
  setup.shown_steps = steps_to_take.get();
  setup.hook_socket = hook_listener.socket();
  sandbox::BuilderHandle builder = sandbox::start_builder(
      namespaces, [&setup](base::Channel channel) { return build::run_builder(setup, std::move(channel)); });

  // threads may exist from here on
  Work work{plan, choice, builder, witness, stop, steps_shown.get()};
  std::string tar_digest = feed_builder(work, surroundings_of(place, namespaces));

  // the tree is packed: only now do the outputs get their names
  if (int status = builder.wait(); status != 0) {
    throw Error(ErrorKind::internal, fmt::format("the builder ended with status {}", status));
  }
  finish_outputs(place.outputs, plan, report, tar_digest);
  report.download_bytes = choice.network_bytes();
  if (has_staging_line) progress.step(fmt::format("removing tempdir {}...", shown_place));
  report.milliseconds = base::milliseconds_since(start);
  for (Span &span : trace.take()) report.spans.push_back(std::move(span));
  return report;
}

}  // namespace debroot
