#include "build/package_choice.hpp"

#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "build/root_state.hpp"
#include "build/twin_selection.hpp"

namespace debroot::build {
namespace {

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
auto timed(Phase phase, const Witness &witness, const Work &work) {
  base::Clock::time_point start = base::Clock::now();
  base::Trace::Timer timer = witness.trace.time(SpanKind::stage, std::string(phase_name(phase)));
  witness.progress.phase_started(phase, {});
  auto result = work();
  std::uint64_t spent = base::milliseconds_since(start);
  witness.progress.phase_finished(phase, {}, spent);
  witness.report.times.push_back({phase, spent});
  return result;
}

std::vector<SourcesText> texts_of(const std::vector<SourcesFile> &sources) {
  std::vector<SourcesText> out;
  for (const SourcesFile &file : sources) out.push_back({file.path, file.text});
  return out;
}

/// What is reported of the packages that `install` has first.
std::vector<ReportedPackage> first_of(const std::vector<ReportedPackage> &reported, const InstallPlan &install) {
  std::vector<ReportedPackage> out;
  for (std::uint32_t number : install.first) out.push_back(reported[number]);
  return out;
}

}  // namespace

PackageChoice::PackageChoice(const BuildPlan &plan, std::string twin_architecture, const Witness &witness,
                             std::stop_token stop)
    : plan_(plan),
      twin_architecture_(std::move(twin_architecture)),
      config_(apt_config(plan)),
      witness_(witness),
      stop_(std::move(stop)) {
  open_fetcher();
}

/// Hooks may have set a proxy, and downloads that were begun may be wanted no more.
void PackageChoice::open_fetcher() {
  if (fetcher_) network_bytes_ += fetcher_->totals().network_bytes;
  fetcher_.emplace(fetch_options(plan_, config_, stop_));
}

ArchiveIndexes PackageChoice::read_indexes(const std::string &twin_architecture, PlanMemory &memory) {
  return timed(Phase::indexes, witness_, [&] {
    return read_archives(plan_, config_, *fetcher_, witness_.progress, witness_.trace, twin_architecture, status_,
                         [&](const ArchiveIndexes &opened) { return memory.recall(opened); });
  });
}

ChosenPackages PackageChoice::before_setup_hooks() {
  ChosenPackages out;
  if (!plan_.source_date_epoch) {
    PlanMemory none;
    early_ = read_indexes(twin_architecture_, none);
    for (const ListFile &list : early_->lists) out.lists.push_back({list.name, list.file.duplicate()});
    plan_.has_default_sources = false;  // where they are is known now
    plan_.sources = early_->sources;
  }
  out.selected.plan.epoch = plan_.source_date_epoch.value_or(early_ ? early_->newest_date : 0);
  out.selected.plan.sources = texts_of(plan_.sources);
  return out;
}

void PackageChoice::take_state(RootState &state, std::vector<SourcesFile> sources) {
  if (!are_same_sources(sources, plan_.sources)) {
    plan_.has_default_sources = false;
    early_.reset();
  }
  plan_.sources = std::move(sources);
  config_ = apt_config_in(state);
  preferences_ = preferences_in(state);
  status_ = std::move(state.status);
  // a hook has updated in apt's place, from these sources: what it fetched is read from where it came, and verified
  bool has_updated = has_indexes(state) && std::erase(plan_.skips, "update") > 0;
  if (has_updated || !base::trim(status_).empty()) early_.reset();
  open_fetcher();
}

void PackageChoice::take_setup_hooks(RootState state) {
  take_state(state, sources_in(state, plan_.sources, plan_.architecture));
}

ChosenPackages PackageChoice::choose() {
  PlanMemory memory(plan_, twin_architecture_);
  ArchiveIndexes indexes = early_ ? std::move(*early_) : read_indexes(twin_architecture_, memory);
  early_.reset();
  ChosenPackages out;
  out.selected = timed(Phase::resolve, witness_, [&] {
    if (auto known = memory.take()) return std::move(*known);
    SelectedPackages selected = select_packages(plan_, indexes, config_, preferences_);
    if (!twin_architecture_.empty()) add_twins(selected, indexes, twin_architecture_);
    if (!selected.rest_failure) memory.remember(indexes, selected);
    return selected;
  });
  epoch_ = plan_.source_date_epoch.value_or(indexes.newest_date);
  out.selected.plan.sources = texts_of(indexes.sources);
  out.selected.plan.epoch = epoch_;
  out.lists = std::move(indexes.lists);
  witness_.report.packages = out.selected.reported;
  witness_.report.releases = indexes.releases;
  witness_.report.source_date_epoch = epoch_;
  plan_.has_default_sources = false;  // where they are is known now
  plan_.sources = std::move(indexes.sources);
  first_reported_ = first_of(out.selected.reported, out.selected.plan);
  return out;
}

ChosenPackages PackageChoice::choose_rest(RootState state) {
  witness_.progress.note("hooks have changed what packages are chosen by: the rest is chosen once more");
  std::vector<SourcesFile> sources = sources_in(state, plan_.sources, plan_.architecture);
  take_state(state, updated_sources(std::move(sources), plan_.sources, state.lists));
  PlanMemory none;
  ArchiveIndexes indexes = read_indexes({}, none);
  ChosenPackages out;
  out.selected = timed(Phase::resolve, witness_, [&] { return select_rest(plan_, indexes, config_, preferences_); });
  out.selected.plan.epoch = epoch_;
  out.lists = std::move(indexes.lists);
  witness_.report.releases = indexes.releases;
  witness_.report.packages = first_reported_;
  std::vector<ReportedPackage> &reported = witness_.report.packages;
  reported.insert(reported.end(), out.selected.reported.begin(), out.selected.reported.end());
  return out;
}

}  // namespace debroot::build
