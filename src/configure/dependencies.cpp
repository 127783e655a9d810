#include "configure/dependencies.hpp"

#include <algorithm>

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

bool will_be_configured(State state) noexcept { return state == State::unpacked || state == State::half_configured; }

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

Dependencies::Dependencies(const dpkgdb::Database &database, std::string native) : native_(std::move(native)) {
  for (const auto &[key, record] : database.records()) {
    by_name_[key.name].push_back(&record);
    const std::string *provides = record.control.find("Provides");
    if (provides == nullptr) continue;
    for (const debian::OrGroup &group : debian::parse_relations(*provides)) {
      std::vector<const PackageRecord *> &known = by_provided_[std::string(group[0].name)];
      if (known.empty() || known.back() != &record) known.push_back(&record);
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

Readiness Dependencies::check(const PackageRecord &record, std::string *missing) {
  Readiness verdict = Readiness::ready;
  for (const debian::OrGroup &group : groups_of(record)) {
    Readiness best = Readiness::blocked;
    for (const Relation &relation : group) {
      for (const PackageRecord *candidate : providers(record, relation)) {
        bool is_broken_link = broken_.count({&record, debian::to_string(relation)}) > 0;
        if (candidate == &record || is_configured(candidate->state) ||
            (is_broken_link && will_be_configured(candidate->state))) {
          best = Readiness::ready;
        } else if (candidate->state == State::triggers_awaited) {
          seen_awaited_ = candidate;
          if (best == Readiness::blocked) best = Readiness::triggers;
        } else if (will_be_configured(candidate->state) && best != Readiness::ready) {
          best = Readiness::waiting;
        }
      }
    }
    if (best == Readiness::ready) continue;
    if (missing != nullptr && verdict == Readiness::ready) *missing = debian::to_string(group);
    if (best == Readiness::blocked) return best;
    if (verdict != Readiness::waiting) verdict = best;
  }
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
  path.push_back({&record, {}});
  for (const debian::OrGroup &group : groups_of(record)) {
    for (const Relation &relation : group) {
      std::string text = debian::to_string(relation);
      if (broken_.count({&record, text}) > 0) continue;
      path.back().relation = text;
      for (const PackageRecord *next : providers(record, relation)) {
        if (next->state < State::unpacked || next == &record) continue;
        bool closes = std::any_of(path.begin(), path.end(), [&](const Link &link) { return link.record == next; });
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
    if (!has_postinst(*link->record) || link->record == &closing) {
      broken_.insert({link->record, link->relation});
      return;
    }
  }
}

}  // namespace debroot::configure
