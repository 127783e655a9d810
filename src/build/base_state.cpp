#include "build/base_state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/wire.hpp"
#include "build/environment.hpp"
#include "plan/names.hpp"

namespace debroot::build {
namespace {

/// What `tell` calls itself.
constexpr std::string_view kOrigin = "base state";

/// Changes when what a key holds, or what a state is, changes.
constexpr std::string_view kKeyForm = "debroot base state 3";

std::int64_t now_milliseconds() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// Steps that may be left out without a trace in the state, and that do not keep what a state is without.
bool is_harmless_skip(const std::string &step) { return step.starts_with("check/") || step.starts_with("output/"); }

/// One that is replaced may do its work differently.
std::string emulator_identity(const sandbox::Emulation &emulation) {
  struct stat info {};
  if (emulation.interpreter.empty() || ::stat(emulation.interpreter.c_str(), &info) != 0) return {};
  return fmt::format("{} {} {}.{}", emulation.interpreter, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

/// The fields of a key, in a form that no two different sets share.
class KeyText {
 public:
  template <class Value>
  void add(Value value) {
    writer_(value);
  }
  void add(const std::vector<HostFile> &files) {
    add(static_cast<std::uint64_t>(files.size()));
    for (const HostFile &file : files) {
      add(file.path);
      add(file.content);
      add(file.mode);
    }
  }
  std::string digest() { return base::hash_of(base::HashKind::sha256, writer_.take()); }

 private:
  base::WireWriter writer_;
};

std::uint64_t installed_bytes(const InstallPlan &install) {
  std::uint64_t sum = 0;
  for (const PlannedPackage &package : install.packages) sum += package.installed_size_bytes;
  return sum;
}

bool has_all_digests(const InstallPlan &install) {
  return std::all_of(install.packages.begin(), install.packages.end(),
                     [](const PlannedPackage &package) { return !package.sha256.empty(); });
}

}  // namespace

std::string kernel_identity() {
  utsname names{};
  ::uname(&names);
  return fmt::format("{} {} {}", names.release, names.version, names.machine);
}

std::optional<std::string> why_no_base_state(const BuildPlan &plan, const StateSurroundings &surroundings) {
  if (plan.cache.directory.empty()) return "there is no cache";
  if (plan.variant == Variant::extract) return "variant 'extract' configures nothing";
  if (surroundings.confinement != sandbox::Confinement::namespaces) return "scripts are not kept from this system";
  if (surroundings.is_filled) return "the directory is not empty";
  if (plan.shares_network_with_scripts) return "scripts use the network";
  for (const Hook &hook : plan.hooks) {
    if (hook.stage != HookStage::customize) return fmt::format("there are {} hooks", hook_stage_name(hook.stage));
  }
  for (const std::string &step : plan.skips) {
    if (!is_harmless_skip(step)) return fmt::format("'{}' is skipped", step);
  }
  return std::nullopt;
}

std::string base_state_key(const BuildPlan &plan, const InstallPlan &install, const StateSurroundings &surroundings) {
  KeyText key;
  key.add(std::string(kKeyForm));
  key.add(surroundings.program);
  key.add(surroundings.kernel);
  key.add(surroundings.has_user_namespace);
  key.add(surroundings.emulation.kind);
  key.add(emulator_identity(surroundings.emulation));
  key.add(plan.architecture);
  key.add(plan.foreign_architectures);
  key.add(plan.variant);
  key.add(plan.apt_options);
  key.add(plan.dpkg_options);
  key.add(plan.skips);
  key.add(plan.host_traces.files);
  key.add(plan.host_traces.apt_user_id);
  key.add(plan.host_traces.hostname);
  key.add(plan.twin_architecture);
  key.add(plan.uses_stand_ins);
  key.add(script_environment(plan.host_traces, install.epoch));
  InstallPlan shown = install;
  shown.list_names.clear();
  key.add(std::move(shown));
  return key.digest();
}

BaseStateTurn::BaseStateTurn(const BuildPlan &plan, const InstallPlan &install, const StateSurroundings &surroundings,
                             Progress &progress)
    : plan_(plan), progress_(progress) {
  std::optional<std::string> why = why_no_base_state(plan, surroundings);
  if (!why && !has_all_digests(install)) why = "a package has no digest";
  std::string cause;
  if (!why) store_ = cache::StateStore::open(plan.cache.directory, cause);
  if (!why && !store_) why = cause;
  if (why) {
    tell(fmt::format("none, since {}", *why));
    return;
  }
  observation_.key = base_state_key(plan, install, surroundings);
  observation_.facts = {plan.suite, plan.architecture, std::string(plan::variant_name(plan.variant)),
                        install.packages.size()};
  observation_.begun_milliseconds = now_milliseconds();
  try {
    // what is beside the tree of a directory that is built in place would show
    look_up(install, !surroundings.is_in_place);
  } catch (const Error &error) {
    tell(error.message());
  }
}

void BaseStateTurn::look_up(const InstallPlan &install, bool may_keep) {
  const std::string &key = observation_.key;
  std::optional<cache::StateRecord> known = store_->find(key);
  if (known && known->standing == cache::Standing::random) {
    tell(fmt::format("none for key {}: two builds differed", key));
    return;
  }
  kept_ = store_->take(key);
  if (kept_) {
    order_ = {StateTask::restore, kept_->parts};
    tell(fmt::format("key {}", key));
    return;
  }
  if (!may_keep) return;
  order_.task = StateTask::digest;
  // nothing is written for a key that may never come again
  if (known) file_ = store_->make_file(std::max(known->parts.tar_bytes, installed_bytes(install)), cache::Bounds{});
  if (file_) order_.task = StateTask::keep;
  tell(fmt::format("key {}, {}", key, known ? "seen once before" : "not seen before"));
}

int BaseStateTurn::fd() const noexcept {
  if (kept_) return kept_->file.get();
  return file_ ? file_->fd() : -1;
}

bool BaseStateTurn::on_restored(const FromBuilder &message, BuildReport &report) {
  if (message.subject.empty()) {
    progress_.note(fmt::format("begins with a base state of the cache: the same {} packages, configured",
                               observation_.facts.packages));
    report.is_from_base_state = true;
    return true;
  }
  progress_.note(fmt::format("the base state of the cache is not used: {}", message.subject));
  if (message.text != kDamagedState) return false;
  try {
    store_->drop(observation_.key, order_.parts.tar_digest);
  } catch (const Error &error) {
    tell(error.message());
  }
  return false;
}

void BaseStateTurn::on_seen(const FromBuilder &message) {
  if (!message.subject.empty()) {
    tell(fmt::format("not kept: {}", message.subject));
    return;
  }
  observation_.parts = message.state;
  observation_.has_random_files = !message.paths.empty();
  observation_.ended_milliseconds = now_milliseconds();
  try {
    switch (store_->settle(observation_, std::exchange(file_, std::nullopt), cache::Bounds{})) {
      case cache::Standing::seen:
        tell("to be kept once another build is alike");
        break;
      case cache::Standing::kept:
        tell(fmt::format("kept, {}", base::human_bytes(message.state.tar_bytes)));
        break;
      case cache::Standing::random:
        tell(message.paths.empty() ? "never to be kept: two builds differed"
                                   : fmt::format("never to be kept: {} is drawn at random", message.paths.front()));
        break;
    }
  } catch (const Error &error) {
    tell(error.message());
  }
}

void BaseStateTurn::tell(const std::string &line) const { progress_.script_output(kOrigin, line); }

}  // namespace debroot::build
