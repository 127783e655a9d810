#include "build/installation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "build/environment.hpp"
#include "build/extended_states.hpp"
#include "customize/cleanup.hpp"

namespace debroot::build {
namespace {

configure::ConffileChoice conffile_choice(const std::vector<std::string> &dpkg_options) {
  auto choice = configure::ConffileChoice::refuse;
  for (const std::string &option : dpkg_options) {
    for (std::string_view line : base::split(option, '\n')) {
      line = base::trim(line);
      if (line == "force-confold") choice = configure::ConffileChoice::keep;
      if (line == "force-confnew") choice = configure::ConffileChoice::replace;
    }
  }
  return choice;
}

std::vector<std::string> dpkg_options(const BuildPlan &plan) {
  return plan.obeys_dpkg_options ? plan.dpkg_options : std::vector<std::string>();
}

/// Whether hooks or the image want the .debs of packages that are installed already.
bool keeps_debs(const BuildPlan &plan) {
  return customize::cleanup_options(plan.skips).keeps_apt_cache || shows_downloads(plan);
}

}  // namespace

bool shows_downloads(const BuildPlan &plan) {
  return plan.hooks_are_mmdebstraps && has_hooks(plan.hooks, HookStage::customize);
}

void Installation::open_scripts() {
  prepare_stand_ins();
  scripts_.emplace(context_.runner, context_.events, context_.trace, twins_ ? &*twins_ : nullptr,
                   stand_ins_ ? &*stand_ins_ : nullptr);
}

void Installation::extract_first() {
  prepare_twins();
  open_inbox(inbox_, context_.install, "first");
  unpack_count_.items_total = context_.install.packages.size();
  context_.events.phase_started(Phase::unpack, unpack_count_);
  open_scripts();
  open_installer(context_.install, *inbox_);
  installer_->extract_first();
}

void Installation::install_first() {
  configure_count_.items_total = context_.install.packages.size();
  context_.events.phase_started(Phase::configure, configure_count_);
  installer_->install_first();
}

void Installation::replace_rest(InstallPlan rest) {
  rest_ = std::move(rest);
  open_inbox(rest_inbox_, *rest_, "rest");
  open_installer(*rest_, *rest_inbox_);
  configure_count_.items_total = context_.install.first.size() + rest_->packages.size();
  if (unpack_count_.items_done < unpack_count_.items_total) {
    unpack_count_.items_total = unpack_count_.items_done;
    context_.events.phase_finished(Phase::unpack, unpack_count_);
  }
  unpack_count_ = {0, rest_->packages.size(), 0, 0};
  if (!rest_->packages.empty()) context_.events.phase_started(Phase::unpack, unpack_count_);
}

void Installation::install_rest() {
  write_extended_states(context_.root, installer_->database(), rest(), plan().architecture);
  if (!rest().runs.empty()) context_.events.step("installing remaining packages inside the chroot...");
  installer_->install_rest();
  if (configure_count_.items_total > 0) context_.events.phase_finished(Phase::configure, configure_count_);
}

void Installation::reload() {
  if (installer_) installer_->reload();
}

void Installation::close() {
  rest_inbox_.reset();
  inbox_.reset();
  if (context_.setup.is_in_place()) context_.root.remove_tree(kInPlaceStage);
}

ArchivedDebs Installation::archive_first() {
  return {context_.root, context_.install, context_.install.first,
          [this](std::uint32_t number) { return inbox_->file(number); }};
}

ArchivedDebs Installation::archive_rest() {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t number = 0; number < rest().packages.size(); ++number) {
    const std::vector<std::uint32_t> &first = rest().first;
    bool is_first = std::find(first.begin(), first.end(), number) != first.end();
    if (!is_first && !rest().packages[number].is_local) numbers.push_back(number);
  }
  return {context_.root, rest(), numbers, [this](std::uint32_t number) { return rest_inbox().file(number); }};
}

std::vector<KeptDownload> Installation::take_kept() {
  std::vector<KeptDownload> out = inbox_->take_kept();
  if (!rest_inbox_) return out;
  // of the first plan's rest some may have come before it was given up
  std::erase_if(out, [](const KeptDownload &kept) { return !kept.is_first; });
  for (KeptDownload &kept : rest_inbox_->take_kept()) out.push_back(std::move(kept));
  return out;
}

void Installation::prepare_twins() {
  if (context_.install.twins.empty()) return;
  constexpr std::string_view kDirectory = "twins";
  context_.staging.make_directories(kDirectory, 0700);
  twins_.emplace(NativeTwinsContext{context_.root, context_.root_path, context_.install, context_.runner,
                                    plan().architecture, fmt::format("{}/{}", context_.setup.staging_path, kDirectory),
                                    [this](std::uint32_t number) { return inbox_->take_twin(number); },
                                    [this](const std::string &line) { context_.events.script_output("twins", line); }});
}

void Installation::prepare_stand_ins() {
  // without /proc no mount namespace can be kept beside the one with the covers
  bool may_cover = context_.setup.may_mount() && ::access("/proc/self/ns/mnt", F_OK) == 0;
  if (!plan().uses_stand_ins || !may_cover || plan().variant == Variant::extract) return;
  constexpr std::string_view kDirectory = "stand-ins";
  context_.staging.make_directories(kDirectory, 0700);
  stand_ins_.emplace(
      StandInContext{context_.root, context_.runner, fmt::format("{}/{}", context_.setup.staging_path, kDirectory)});
}

/// A directory for packages on their way, on the same file system as the root.
base::RootDirectory Installation::open_stage(std::string_view name) {
  const base::RootDirectory &beside = context_.setup.is_in_place() ? context_.root : context_.staging;
  std::string_view stage = context_.setup.is_in_place() ? kInPlaceStage : "stage";
  std::string path = fmt::format("{}/{}", stage, name);
  beside.make_directories(stage, 0700);
  beside.make_directories(path, 0700);
  return base::RootDirectory(beside.open_file(path, O_RDONLY | O_DIRECTORY));
}

void Installation::open_inbox(std::optional<PackageInbox> &inbox, const InstallPlan &install, std::string_view stage) {
  unpack::PathFilter filter;
  unpack::read_path_rules(base::join(dpkg_options(plan()), "\n"), filter);
  inbox.emplace(context_.channel, install, open_stage(stage), std::move(filter), twins_ ? &twins_->store() : nullptr,
                plan().jobs, keeps_debs(plan()), context_.trace);
}

void Installation::open_installer(const InstallPlan &install, PackageInbox &inbox) {
  const std::string &own_dpkg = context_.install.dpkg_version;
  InstallerContext context{context_.root,
                           install,
                           *scripts_,
                           {script_environment(plan().host_traces, context_.install.epoch),
                            install.dpkg_version.empty() ? own_dpkg : install.dpkg_version,
                            context_.setup.is_chrootless() ? context_.root_path : std::string()},
                           plan().architecture,
                           conffile_choice(dpkg_options(plan())),
                           [&inbox](std::uint32_t number) { return inbox.take(number); },
                           [this](Phase phase, const PackageId &id) { on_package(phase, id); },
                           [this, &install](std::uint32_t number) { on_unpacked(install.packages[number].id); }};
  installer_.emplace(std::move(context));
}

void Installation::on_package(Phase phase, const PackageId &id) {
  PhaseCount &count = phase == Phase::unpack ? unpack_count_ : configure_count_;
  ++count.items_done;
  context_.events.phase_advanced(phase, count, to_string(id));
  if (phase == Phase::unpack && count.items_done == count.items_total) context_.events.phase_finished(phase, count);
}

/// Twins know packages by their numbers in the first plan.
void Installation::on_unpacked(const PackageId &id) {
  if (!twins_) return;
  const std::vector<PlannedPackage> &packages = context_.install.packages;
  auto same = std::find_if(packages.begin(), packages.end(), [&](const auto &package) { return package.id == id; });
  if (same != packages.end()) twins_->on_unpacked(static_cast<std::uint32_t>(same - packages.begin()));
}

}  // namespace debroot::build
