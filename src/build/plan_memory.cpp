#include "build/plan_memory.hpp"

#include <algorithm>
#include <utility>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "base/wire.hpp"
#include "build/local_packages.hpp"
#include "build/program_identity.hpp"
#include "debroot/error.hpp"

namespace debroot::build {

/// As it is kept: SelectedPackages without places in an index.
struct RememberedPlan {
  InstallPlan plan;
  std::vector<ReportedPackage> reported;
  std::vector<fetch::Request> downloads;
};
template <class Wire>
void fields(Wire &wire, RememberedPlan &remembered) {
  wire(remembered.plan, remembered.reported, remembered.downloads);
}

}  // namespace debroot::build

namespace debroot {

template <class Wire>
void fields(Wire &wire, ReportedPackage &package) {
  wire(package.id, package.is_automatic, package.size_bytes, package.sha256, package.pool_path, package.archive,
       package.reason);
}

}  // namespace debroot

namespace debroot::fetch {

template <class Wire>
void fields(Wire &wire, Request &request) {
  wire(request.url, request.sha256, request.size_bytes, request.limit_bytes, request.may_be_missing, request.is_release,
       request.purpose);
}

}  // namespace debroot::fetch

namespace debroot::build {
namespace {

/// Changes when what is kept, or how it is chosen by, changes form.
constexpr std::string_view kForm = "debroot plan 2";

bool has_credentials(const SourcesFile &file) {
  return std::any_of(file.entries.begin(), file.entries.end(), [](const SourceEntry &entry) {
    return base::without_credentials(entry.archive_root) != entry.archive_root;
  });
}

void add_source(base::WireWriter &key, const SourcesFile &file) {
  std::string path = file.path;
  std::string text = file.text;
  std::uint64_t count = file.entries.size();
  key(path, text, count);
  for (SourceEntry entry : file.entries) {
    key(entry.archive_root, entry.suite, entry.components, entry.signed_by, entry.architectures, entry.is_trusted);
  }
}

}  // namespace

std::optional<std::string> why_no_plan_memory(const BuildPlan &plan) {
  if (plan.cache.directory.empty()) return "there is no cache";
  for (const Hook &hook : plan.hooks) {
    if (hook.stage == HookStage::setup) return "setup hooks have a say";
  }
  if (is_skipped(plan.skips, "update")) return "there are no indexes";
  if (std::any_of(plan.includes.begin(), plan.includes.end(), is_local_package)) return "a package is a local file";
  if (std::any_of(plan.sources.begin(), plan.sources.end(), has_credentials)) return "a source has a password";
  return std::nullopt;
}

std::string plan_key(const BuildPlan &plan, const ArchiveIndexes &opened, const std::string &twin_architecture,
                     const std::string &program) {
  base::WireWriter key;
  BuildPlan wishes = plan;
  std::string form(kForm);
  std::string who = program;
  std::string twins = twin_architecture;
  key(form, who, twins, wishes.suite, wishes.architecture, wishes.foreign_architectures, wishes.variant,
      wishes.includes, wishes.excludes, wishes.hook_packages, wishes.apt_options, wishes.skips, wishes.is_plain,
      wishes.network);
  for (const SourcesFile &file : opened.sources) add_source(key, file);
  for (ReportedRelease release : opened.releases) key(release.url, release.suite, release.sha256);
  return base::hash_of(base::HashKind::sha256, key.take());
}

PlanMemory::PlanMemory(const BuildPlan &plan, std::string twin_architecture)
    : plan_(&plan), twin_architecture_(std::move(twin_architecture)) {
  if (!why_no_plan_memory(plan)) store_ = cache::PlanStore::open(plan.cache.directory);
}

bool PlanMemory::recall(const ArchiveIndexes &opened) {
  if (!store_) return false;
  key_ = plan_key(*plan_, opened, twin_architecture_, program_identity());
  std::optional<std::string> answer = store_->take(key_);
  if (!answer) return false;
  try {
    auto remembered = base::from_wire<RememberedPlan>(*answer);
    recalled_ = {std::move(remembered.plan), std::move(remembered.reported), std::move(remembered.downloads), {}, {}};
  } catch (const Error &) {
    return false;
  }
  return true;
}

std::optional<SelectedPackages> PlanMemory::take() { return std::exchange(recalled_, std::nullopt); }

void PlanMemory::remember(const ArchiveIndexes &indexes, const SelectedPackages &selected) const {
  // what is missing of the twins may be there next time
  if (!store_ || key_.empty() || indexes.lacks_twins) return;
  store_->keep(key_, base::to_wire(RememberedPlan{selected.plan, selected.reported, selected.downloads}));
}

}  // namespace debroot::build
