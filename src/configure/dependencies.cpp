#include "configure/dependencies.hpp"

#include <algorithm>
#include <iterator>

namespace debroot::configure {

using debian::MultiArch;
using debian::Relation;
using dpkgdb::PackageRecord;
using dpkgdb::State;

namespace {

const std::string &effective(const std::string &architecture, const std::string &native) {
  return architecture == "all" ? native : architecture;
}

bool architecture_fits(const PackageRecord &candidate, const Relation &relation, const std::string &depender,
                       const std::string &native) {
  std::string own = candidate.architecture();
  MultiArch multi_arch = candidate.multi_arch();
  if (relation.architecture == "any")
    return multi_arch == MultiArch::allowed || effective(own, native) == effective(depender, native);
  if (!relation.architecture.empty()) return relation.architecture == effective(own, native);
  return multi_arch == MultiArch::foreign || effective(own, native) == effective(depender, native);
}

bool is_configured(State state) noexcept { return state == State::installed || state == State::triggers_pending; }

/// The better of two alternatives: ready beats waiting, waiting beats blocked.
Readiness better(Readiness a, Readiness b) noexcept { return a < b ? a : b; }

}  // namespace

bool meets(const PackageRecord &candidate, const Relation &relation, const std::string &depender,
           const std::string &native) {
  if (!architecture_fits(candidate, relation, depender, native)) return false;
  if (relation.name == candidate.control.get("Package")) {
    return debian::version_satisfies(candidate.version(), relation.test, relation.version);
  }
  const std::string *provides = candidate.control.find("Provides");
  if (provides == nullptr || provides->find(relation.name) == std::string::npos) return false;
  for (const debian::OrGroup &group : debian::parse_relations(*provides)) {
    for (const Relation &provided : group) {
      if (provided.name != relation.name) continue;
      if (relation.test == debian::VersionTest::any) return true;
      // an unversioned Provides meets no versioned relation (Policy section 7.5)
      if (provided.test == debian::VersionTest::equal &&
          debian::version_satisfies(provided.version, relation.test, relation.version)) {
        return true;
      }
    }
  }
  return false;
}

Dependencies::Dependencies(const std::vector<const PackageRecord *> &known, std::string native,
                           std::set<const PackageRecord *> queued)
    : native_(std::move(native)), queued_(std::move(queued)) {
  for (const PackageRecord *record : known) by_name_[record->name()].push_back(record);
  // dpkg finds the provider first that it came to know last
  for (auto at = known.rbegin(); at != known.rend(); ++at) {
    const std::string *provides = (*at)->control.find("Provides");
    if (provides == nullptr) continue;
    for (const debian::OrGroup &group : debian::parse_relations(*provides)) {
      std::vector<const PackageRecord *> &providers = by_provided_[std::string(group[0].name)];
      if (providers.empty() || providers.back() != *at) providers.push_back(*at);
    }
  }
}

const Dependencies::Groups &Dependencies::groups_of(const PackageRecord &record) {
  auto [found, is_new] = groups_.try_emplace(&record);
  if (is_new) {
    for (const deb822::Field &field : record.control.fields()) {
      if (!deb822::same_field(field.name, "Depends") && !deb822::same_field(field.name, "Pre-Depends")) continue;
      Groups more = debian::parse_relations(field.value);
      found->second.insert(found->second.end(), more.begin(), more.end());
    }
  }
  return found->second;
}

std::vector<const PackageRecord *> Dependencies::providers(const PackageRecord &record,
                                                           const Relation &relation) const {
  std::vector<const PackageRecord *> out;
  std::string depender = record.architecture();
  // real packages of that name come first, as dpkg looks at them first
  for (const Records *records : {&by_name_, &by_provided_}) {
    auto found = records->find(relation.name);
    if (found == records->end()) continue;
    for (const PackageRecord *candidate : found->second) {
      bool is_known = std::find(out.begin(), out.end(), candidate) != out.end();
      if (!is_known && meets(*candidate, relation, depender, native_)) out.push_back(candidate);
    }
  }
  return out;
}

std::vector<const PackageRecord *> Dependencies::linked(const PackageRecord &record, const Relation &relation) const {
  std::vector<const PackageRecord *> out;
  std::string depender = record.architecture();
  if (auto named = by_name_.find(relation.name); named != by_name_.end()) {
    std::copy_if(named->second.begin(), named->second.end(), std::back_inserter(out),
                 [&](const PackageRecord *other) { return architecture_fits(*other, relation, depender, native_); });
  }
  if (auto provided = by_provided_.find(relation.name); provided != by_provided_.end()) {
    std::copy_if(provided->second.begin(), provided->second.end(), std::back_inserter(out),
                 [&](const PackageRecord *other) { return queued_.count(other) > 0; });
  }
  return out;
}

Readiness Dependencies::check_candidate(const PackageRecord &record, const PackageRecord &candidate,
                                        const Relation &relation, std::string &helper) const {
  if (is_configured(candidate.state)) return Readiness::ready;
  if (candidate.state == State::triggers_awaited) {
    helper = candidate.triggers_awaited.front();
    return Readiness::waiting;
  }
  bool is_unpacked = candidate.state == State::unpacked || candidate.state == State::half_configured;
  if (!is_unpacked || queued_.count(&candidate) == 0) return Readiness::blocked;
  // what a package provides itself is there as soon as it is
  bool is_own_provide = &candidate == &record && relation.name != record.name();
  return is_own_provide ? Readiness::ready : Readiness::waiting;
}

Readiness Dependencies::check_group(const PackageRecord &record, const debian::OrGroup &group,
                                    std::string &helper) const {
  Readiness best = Readiness::blocked;
  for (const Relation &relation : group) {
    if (broken_.count(&relation) > 0) return Readiness::ready;
    for (const PackageRecord *candidate : providers(record, relation)) {
      best = better(best, check_candidate(record, *candidate, relation, helper));
      if (best == Readiness::ready) return best;
    }
  }
  return best;
}

Readiness Dependencies::check(const PackageRecord &record, std::string *missing) {
  Readiness verdict = Readiness::ready;
  bool has_other_reason = false;
  std::string helper;
  for (const debian::OrGroup &group : groups_of(record)) {
    std::string possible;
    Readiness found = check_group(record, group, possible);
    if (found == Readiness::ready) continue;
    if (missing != nullptr && verdict == Readiness::ready) *missing = debian::to_string(group);
    if (found == Readiness::blocked && missing != nullptr) *missing = debian::to_string(group);
    if (found == Readiness::waiting && !possible.empty()) {
      helper = possible;
    } else {
      has_other_reason = true;
    }
    if (verdict != Readiness::blocked) verdict = found;
  }
  if (!has_other_reason && !helper.empty()) helper_ = helper;
  return verdict;
}

bool Dependencies::break_cycle(const PackageRecord &record,
                               const std::function<bool(const PackageRecord &)> &has_postinst) {
  std::vector<Link> path;
  std::set<const PackageRecord *> finished;
  return search_cycle(record, path, finished, has_postinst);
}

bool Dependencies::search_cycle(const PackageRecord &record, std::vector<Link> &path,
                                std::set<const PackageRecord *> &finished,
                                const std::function<bool(const PackageRecord &)> &has_postinst) {
  if (finished.count(&record) > 0) return false;
  path.push_back({&record, nullptr});
  for (const debian::OrGroup &group : groups_of(record)) {
    for (const Relation &relation : group) {
      if (broken_.count(&relation) > 0) continue;
      path.back().relation = &relation;
      for (const PackageRecord *next : linked(record, relation)) {
        // the package at hand does not count: dpkg looks only at those above it
        bool closes = std::any_of(path.begin(), path.end() - 1, [&](const Link &link) { return link.record == next; });
        if (closes) {
          break_link(path, *next, has_postinst);
          return true;
        }
        if (search_cycle(*next, path, finished, has_postinst)) return true;
      }
    }
  }
  path.pop_back();
  finished.insert(&record);
  return false;
}

void Dependencies::break_link(const std::vector<Link> &path, const PackageRecord &closing,
                              const std::function<bool(const PackageRecord &)> &has_postinst) {
  for (auto link = path.rbegin(); link != path.rend(); ++link) {
    if (!has_postinst(*link->record) || (link != path.rbegin() && link->record == &closing)) {
      broken_.insert(link->relation);
      return;
    }
  }
}

}  // namespace debroot::configure
