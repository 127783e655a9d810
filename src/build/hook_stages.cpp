#include "build/hook_stages.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "build/environment.hpp"
#include "build/hook_context.hpp"
#include "pack/devices.hpp"
#include "sandbox/staging.hpp"

namespace debroot::build {
namespace {

/// A link to this program beside the root, by which hooks call it: under this name it takes mmdebstrap's options.
constexpr std::string_view kOwnName = "mmdebstrap";

constexpr std::string_view kLists = "/var/lib/apt/lists";

}  // namespace

void HookStages::run(HookStage stage, const StageFacts &facts, std::string &root_path) {
  if (!has_hooks(around_.plan.hooks, stage)) return;
  if (!hooks_) open(root_path);
  write_lists(facts.apt);
  Listing lists = list_lists();
  write_hook_apt_config(around_.root, root_path, around_.plan);
  std::optional<customize::HookMounts> mounts;
  if (stage != HookStage::setup && around_.setup.may_mount()) {
    mounts.emplace(hook_root_, root_path, mount_options(facts.has_own_devices));
  }
  customize::HookSettings shared = settings(stage, facts, root_path);
  for (const Hook &hook : around_.plan.hooks) {
    if (hook.stage != stage) continue;
    shared.on_output = [this, origin = customize::hook_title(hook)](std::string_view line) {
      around_.events.hook_output(origin, line);
    };
    around_.events.step(customize::hook_announcement(hook, root_path));
    {
      base::Trace::Timer timer = around_.trace.time(SpanKind::hook, customize::hook_title(hook));
      hooks_->run(hook, shared);
      root_path = hooks_->root_path();
    }
    if (facts.after_hook) facts.after_hook();
  }
  clear_lists(lists);
}

void HookStages::finish() {
  if (hooks_) hooks_->finish(around_.plan.waits_for_background_processes);
}

/// The tree is mounted in the place where hooks look for it. Renaming across mounts is not possible, so what unpacks
/// keeps to the first one.
void HookStages::open(std::string &root_path) {
  if (!around_.setup.hook_root.empty()) {
    sandbox::mount_tree(root_path, around_.setup.hook_root);
    root_path = around_.setup.hook_root;
  }
  hook_root_ = base::RootDirectory::open(root_path);
  hooks_.emplace(hook_root_, root_path);
}

/// The verified indexes where apt looks for them, so that a hook's apt-get needs no update of its own.
void HookStages::write_lists(const AptState &apt) {
  settle_apt_state(around_.root, apt);
  if (have_updated_) return;
  for (std::size_t i = 0; i < around_.lists.size(); ++i) {
    int list = around_.lists[i].get();
    ::lseek(list, 0, SEEK_SET);
    around_.root.write(fmt::format("{}/{}", kLists, around_.install.list_names[i]), base::read_all(list));
  }
}

HookStages::Listing HookStages::list_lists() const {
  Listing out;
  for (const std::string &name : around_.root.list(kLists)) {
    if (name == "lock" || name == "partial" || name == "auxfiles") continue;
    std::optional<struct stat> info = around_.root.status(fmt::format("{}/{}", kLists, name));
    if (info) out[name] = {info->st_size, info->st_mtim.tv_sec, info->st_mtim.tv_nsec};
  }
  return out;
}

/// Scripts do not see them. Those that a hook's apt-get update has brought stay for the hooks that follow.
void HookStages::clear_lists(const Listing &before) {
  const Listing after = list_lists();
  has_brought_lists_ = std::any_of(after.begin(), after.end(), [&](const auto &list) {
    auto was = before.find(list.first);
    return was == before.end() || was->second != list.second;
  });
  have_updated_ = have_updated_ || has_brought_lists_;
  if (!have_updated_) around_.root.clear_directory(kLists, {"lock", "partial"});
}

customize::HookMountOptions HookStages::mount_options(bool has_own_devices) const {
  bool is_hosts_root = ::geteuid() == 0 && !around_.setup.is_in_user_namespace;
  customize::HookMountOptions options{around_.plan.skips, {}, is_hosts_root};
  if (has_own_devices) return options;
  using Place = customize::DevicePlace;
  for (const pack::TreeEntry &entry : pack::device_entries(0)) {
    std::string path = entry.path.substr(1);  // behind the dot
    if (path == "/dev/ptmx") {
      options.devices.push_back({path, Place::Kind::link, "/dev/pts/ptmx"});
    } else if (entry.type == pack::EntryType::symbolic_link) {
      options.devices.push_back({path, Place::Kind::link, entry.link_target});
    } else if (path != "/dev/") {
      bool is_directory = entry.type == pack::EntryType::directory;
      if (is_directory) path.pop_back();
      options.devices.push_back({path, is_directory ? Place::Kind::directory : Place::Kind::node, {}});
    }
  }
  return options;
}

customize::HookSettings HookStages::settings(HookStage stage, const StageFacts &facts,
                                             const std::string &root_path) const {
  customize::HookSettings settings;
  settings.environment = with_caller(caller_environment(), variables(stage, facts, root_path));
  settings.socket = around_.setup.hook_socket;
  settings.skips = around_.plan.skips;
  settings.writes_to_stderr = around_.plan.hooks_are_mmdebstraps;
  settings.brings_resolver = around_.plan.host_traces.files.empty();
  return settings;
}

/// What a hook sees beside the caller's environment. PATH gets the directories of system programs behind what the
/// caller has.
std::vector<std::string> HookStages::variables(HookStage stage, const StageFacts &facts,
                                               const std::string &root_path) const {
  if (!around_.staging.exists(kOwnName)) around_.staging.make_link(kOwnName, own_program());
  std::vector<std::string> out = own_environment(around_.plan.host_traces, around_.install.epoch);
  const char *path = std::getenv("PATH");
  out.push_back(fmt::format("PATH={}:/usr/sbin:/usr/bin:/sbin:/bin", path == nullptr ? "" : path));
  std::string program = fmt::format("{}/{}", around_.setup.staging_path, kOwnName);
  HookFacts told{stage, around_.setup.mode, std::move(program), root_path, facts.first_debs};
  for (std::string &variable : mmdebstrap_variables(around_.plan, told)) out.push_back(std::move(variable));
  return out;
}

}  // namespace debroot::build
