#include "configure/trigger_cycle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "debroot/error.hpp"

namespace debroot::configure {

void TriggerCycle::check(const dpkgdb::PackageRecord &record, const dpkgdb::Database &database) {
  Moment now{to_string(record.id()), {}};
  for (const auto &[key, other] : database.records()) {
    if (!other.triggers_pending.empty()) now.pending[key] = other.triggers_pending;
  }
  moments_.push_back(std::move(now));
  if (moments_.size() == 1) return;
  if (moves_behind_) ++behind_;
  moves_behind_ = !moves_behind_;
  if (!contains(moments_.back(), moments_[behind_])) return;
  Error error(ErrorKind::script, fmt::format("triggers of '{}' never come to an end", moments_.back().processed));
  std::string chain;
  for (std::size_t i = behind_; i < moments_.size(); ++i) {
    chain += (chain.empty() ? "" : ", then ") + moments_[i].processed;
  }
  throw std::move(error.detail("got", "triggers ran for " + chain));
}

void TriggerCycle::reset() noexcept {
  moments_.clear();
  behind_ = 0;
  moves_behind_ = false;
}

bool TriggerCycle::contains(const Moment &now, const Moment &earlier) {
  return std::all_of(earlier.pending.begin(), earlier.pending.end(), [&](const auto &item) {
    auto present = now.pending.find(item.first);
    if (present == now.pending.end()) return false;
    return std::all_of(item.second.begin(), item.second.end(), [&](const std::string &name) {
      return std::find(present->second.begin(), present->second.end(), name) != present->second.end();
    });
  });
}

}  // namespace debroot::configure
