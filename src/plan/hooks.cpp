#include "plan/hooks.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/text.hpp"
#include "plan/bundled_hooks.hpp"
#include "plan/names.hpp"

namespace debroot::plan {
namespace {

namespace fs = std::filesystem;

constexpr std::array kStages = {HookStage::setup, HookStage::extract, HookStage::essential, HookStage::customize};

std::optional<HookStage> stage_of_file(const std::string &name) {
  for (HookStage stage : kStages) {
    if (name.starts_with(hook_stage_name(stage))) return stage;
  }
  return std::nullopt;
}

HookStage stage_of(HookSource source) {
  switch (source) {
    case HookSource::setup:
      return HookStage::setup;
    case HookSource::extract:
      return HookStage::extract;
    case HookSource::essential:
      return HookStage::essential;
    case HookSource::customize:
    case HookSource::directory:
      break;
  }
  return HookStage::customize;
}

std::vector<fs::path> sorted_files(const std::string &directory, const HostFacts &host) {
  std::vector<fs::path> files;
  std::error_code failure;
  fs::directory_iterator entry(fs::path(host.working_directory) / directory, failure);
  for (fs::directory_iterator end; !failure && entry != end; entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  if (failure) throw usage_error(fmt::format("cannot read hook directory '{}': {}", directory, failure.message()));
  std::sort(files.begin(), files.end());
  return files;
}

/// The verbs that move files take paths; what is wrong with them shows before anything is built. The table of what
/// they do is customize's (special_verbs.cpp).
void check_special_verb(const std::string &command) {
  constexpr std::array<std::string_view, 8> kVerbs = {"copy-in", "copy-out", "tar-in",  "tar-out",
                                                      "upload",  "download", "sync-in", "sync-out"};
  std::string_view verb = std::string_view(command).substr(0, command.find(' '));
  if (verb.size() == command.size() || std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) return;
  std::optional<std::vector<std::string>> words = base::shell_words(command);
  if (!words) throw usage_error(fmt::format("cannot run the hook '{}': a quote is not closed", command));
  bool takes_many = verb.starts_with("copy-");
  std::size_t paths = words->size() - 1;
  if (paths == 2 || (paths > 2 && takes_many)) return;
  throw usage_error(fmt::format("cannot run the hook '{}': '{}' takes {}two paths, not {}", command, verb,
                                takes_many ? "at least " : "", paths));
}

/// The file's path as a command that is run directly: blanks and the like would otherwise go through a shell.
void add_directory(const std::string &directory, const HostFacts &host, std::vector<Hook> &hooks,
                   std::vector<std::string> &warnings) {
  bool has_found = false;
  for (const fs::path &file : sorted_files(directory, host)) {
    std::string name = file.filename().string();
    std::optional<HookStage> stage = stage_of_file(name);
    bool is_executable = ::access(file.c_str(), X_OK) == 0;
    if (stage && is_executable) {
      hooks.push_back({*stage, file.lexically_normal().string(), false});
      has_found = true;
    } else if (stage) {
      warnings.push_back(fmt::format("hook '{}' is not executable and is ignored", file.string()));
    } else if (is_executable) {
      warnings.push_back(fmt::format("hook '{}' is ignored: its name begins with no stage", file.string()));
    }
  }
  if (!has_found) warnings.push_back(fmt::format("hook directory '{}' holds no hook", directory));
}

/// @return whether `directory` is one of mmdebstrap's that this host lacks
bool add_bundled(const std::string &directory, const HostFacts &host, HookPlan &out) {
  std::error_code failure;
  std::string path = (fs::path(host.working_directory) / directory).lexically_normal().string();
  const BundledHookDirectory *bundled = find_bundled_hooks(path);
  if (bundled == nullptr || fs::exists(host.system_directory + path, failure)) return false;
  for (const BundledHook &one : bundled->hooks) {
    std::string script = fmt::format("{}{}", one.preface, one.script);
    out.hooks.push_back({one.stage, std::move(script), false, fmt::format("built-in {}", bundled->name)});
  }
  for (std::string_view package : bundled->first_packages) out.packages.emplace_back(package);
  return true;
}

}  // namespace

HookPlan make_hooks(const std::vector<HookOption> &options, const HostFacts &host, std::vector<std::string> &warnings) {
  HookPlan out;
  for (const HookOption &option : options) {
    if (option.source == HookSource::directory) {
      if (!add_bundled(option.value, host, out)) add_directory(option.value, host, out.hooks, warnings);
      continue;
    }
    HookStage stage = stage_of(option.source);
    if (option.value.find_first_not_of(" \t\n") == std::string::npos) {
      throw usage_error(
          fmt::format("a '--{}{}-hook' is empty", option.is_chrooted ? "chrooted-" : "", hook_stage_name(stage)));
    }
    if (!option.is_chrooted) check_special_verb(option.value);
    out.hooks.push_back({stage, option.value, option.is_chrooted});
  }
  return out;
}

}  // namespace debroot::plan
