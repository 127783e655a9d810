#include "configure/trigger_engine.hpp"

#include <algorithm>

namespace debroot::configure {

using dpkgdb::PackageKey;
using dpkgdb::PackageRecord;
using dpkgdb::State;

State settled_state(const PackageRecord &record) noexcept {
  if (!record.triggers_awaited.empty()) return State::triggers_awaited;
  if (!record.triggers_pending.empty()) return State::triggers_pending;
  return State::installed;
}

void TriggerEngine::activate(const std::string &trigger, PackageRecord *awaiting) {
  for (const dpkgdb::TriggerInterest &interest : triggers_.interested(trigger)) record(trigger, interest, awaiting);
}

void TriggerEngine::activate_path(std::string_view path, PackageRecord *awaiting) {
  while (!path.empty()) {
    activate(std::string(path), awaiting);
    path = path.substr(0, path.rfind('/'));
  }
}

void TriggerEngine::activate_by_name(const std::string &trigger, PackageRecord *awaiting) {
  if (!trigger.empty() && trigger[0] == '/') {
    activate_path(trigger, awaiting);
  } else {
    activate(trigger, awaiting);
  }
}

void TriggerEngine::activate_directives(std::string_view triggers_file, PackageRecord &record) {
  for (const auto &directive : dpkgdb::parse_trigger_directives(triggers_file, to_string(record.id()))) {
    if (!directive.is_interest) activate_by_name(directive.trigger, directive.is_await ? &record : nullptr);
  }
}

void TriggerEngine::incorporate() {
  for (const dpkgdb::TriggerActivation &activation : triggers_.take_activations()) {
    if (activation.awaiting.empty()) activate_by_name(activation.trigger, nullptr);
    for (const std::string &name : activation.awaiting) activate_by_name(activation.trigger, find(name));
  }
}

PackageRecord *TriggerEngine::find(std::string_view name) {
  std::size_t colon = name.find(':');
  std::string_view architecture = colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
  PackageRecord *best = nullptr;
  for (PackageRecord *candidate : database_.named(name.substr(0, colon))) {
    if (!architecture.empty() && candidate->architecture() != architecture) continue;
    if (best == nullptr || candidate->state > best->state) best = candidate;
  }
  return best;
}

void TriggerEngine::record(const std::string &trigger, const dpkgdb::TriggerInterest &interest,
                           PackageRecord *awaiting) {
  PackageRecord *interested = find(interest.package);
  if (interested == nullptr || interested->state < State::triggers_awaited) return;
  std::vector<std::string> &pending = interested->triggers_pending;
  if (std::find(pending.begin(), pending.end(), trigger) == pending.end()) {
    pending.insert(pending.begin(), trigger);  // dpkg keeps the latest first and hands them to postinst in that order
    interested->state = settled_state(*interested);
    database_.note(*interested);
  }
  PackageKey key{interested->name(), interested->architecture()};
  if (std::find(deferred_.begin(), deferred_.end(), key) == deferred_.end()) deferred_.push_back(key);
  // dpkg forgets what a package waits for as long as there is nothing of it
  if (awaiting == nullptr || !interest.is_await || awaiting->state <= State::config_files) return;
  std::vector<std::string> &awaited = awaiting->triggers_awaited;
  if (std::find(awaited.begin(), awaited.end(), interest.package) != awaited.end()) return;
  awaited.push_back(interest.package);
  if (awaiting->state >= State::triggers_awaited) awaiting->state = State::triggers_awaited;
  database_.note(*awaiting);
}

void TriggerEngine::clear_awaiters(const PackageRecord &ran) {
  for (auto &[key, record] : database_.records()) {
    std::erase_if(record.triggers_awaited, [&](const std::string &name) { return find(name) == &ran; });
    // what still waits for others is not written down again before it changes
    if (record.state != State::triggers_awaited || !record.triggers_awaited.empty()) continue;
    record.state = settled_state(record);
    database_.note(record);
  }
}

PackageRecord *TriggerEngine::take_deferred() {
  while (!deferred_.empty()) {
    PackageRecord *record = database_.find(deferred_.front());
    deferred_.pop_front();
    if (record != nullptr) return record;
  }
  return nullptr;
}

void TriggerEngine::forget_deferred(const PackageRecord &record) {
  std::erase(deferred_, PackageKey{record.name(), record.architecture()});
}

}  // namespace debroot::configure
