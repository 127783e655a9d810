#include "configure/configurer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace debroot::configure {

using dpkgdb::Conffile;
using dpkgdb::PackageKey;
using dpkgdb::PackageRecord;
using dpkgdb::State;

namespace {

constexpr std::string_view kFresh = ".dpkg-new";

std::string md5_of(const base::RootDirectory &root, const std::string &path) {
  return base::hash_of_file(base::HashKind::md5, root.open_file(path, O_RDONLY).get());
}

/// Place of a package in dpkg's queue for `--configure --pending`: dpkg walks its hash table, which files names by
/// their FNV-1a hash into 65521 bins.
std::uint32_t queue_place(std::string_view name) noexcept {
  constexpr std::uint32_t kBins = 65521;
  std::uint32_t hash = 2166136261;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return hash % kBins;
}

bool is_unpacked(const PackageRecord &record) noexcept {
  return record.state == State::unpacked || record.state == State::half_configured;
}

}  // namespace

void Configurer::configure(const std::vector<PackageKey> &keys, bool runs_triggers) {
  Dependencies dependencies(context_.database, context_.native_architecture);
  std::deque<PackageKey> queue(keys.begin(), keys.end());
  auto has_postinst = [this](const PackageRecord &record) {
    return context_.root.exists(dpkgdb::Database::info_path(record, "postinst"));
  };
  std::size_t idle = 0;  // packages put back since the last one that was configured
  while (!queue.empty()) {
    PackageKey key = queue.front();
    queue.pop_front();
    PackageRecord *record = context_.database.find(key);
    if (record == nullptr || !is_unpacked(*record)) continue;
    Readiness readiness = dependencies.check(*record);
    if (readiness == Readiness::ready) {
      configure_one(*record);
      idle = 0;
      continue;
    }
    queue.push_back(key);
    if (++idle <= queue.size()) continue;
    // a whole round without progress: break a cycle, else run the triggers that block, else give up
    bool has_progress = false;
    for (const PackageKey &stuck : queue) {
      if (dependencies.break_cycle(*context_.database.find(stuck), has_postinst)) has_progress = true;
      if (has_progress) break;
    }
    if (!has_progress && readiness == Readiness::triggers) {
      while (PackageRecord *pending = context_.triggers.next_pending()) process_triggers(*pending);
      has_progress = true;
    }
    if (!has_progress) refuse({queue.begin(), queue.end()}, dependencies);
    idle = 0;
  }
  if (runs_triggers) run_deferred_triggers();
}

void Configurer::configure_pending() {
  std::vector<PackageKey> keys;
  for (const auto &[key, record] : context_.database.records()) {
    if (is_unpacked(record)) keys.push_back(key);
  }
  std::stable_sort(keys.begin(), keys.end(),
                   [](const PackageKey &a, const PackageKey &b) { return queue_place(a.name) < queue_place(b.name); });
  configure(keys, true);
}

void Configurer::run_deferred_triggers() {
  while (PackageRecord *record = context_.triggers.next_pending()) process_triggers(*record);
}

void Configurer::configure_one(PackageRecord &record) {
  if (context_.on_package) context_.on_package(record);
  if (auto triggers = context_.root.try_read(dpkgdb::Database::info_path(record, "triggers"))) {
    context_.triggers.activate_directives(*triggers, record);
  }
  if (record.state == State::unpacked) {
    for (Conffile &conffile : record.conffiles) {
      if (!conffile.is_obsolete && !conffile.is_remove_on_upgrade) settle_conffile(record, conffile);
    }
  }
  record.state = State::half_configured;
  context_.database.note(record);
  context_.scripts.run_postinst(record, {"configure", record.config_version});
  record.flag = dpkgdb::Flag::ok;
  record.config_version = record.version();
  finish_script(record);
}

void Configurer::process_triggers(PackageRecord &record) {
  std::string names = base::join(record.triggers_pending, " ");
  record.triggers_pending.clear();
  record.state = State::half_configured;
  context_.database.note(record);
  context_.scripts.run_postinst(record, {"triggered", names});
  context_.triggers.clear_awaiters(record);
  finish_script(record);
}

void Configurer::finish_script(PackageRecord &record) {
  record.state = settled_state(record);
  context_.database.note(record);
  context_.triggers.incorporate();
  if (context_.after_script) context_.after_script();
}

void Configurer::settle_conffile(PackageRecord &record, Conffile &conffile) {
  const base::RootDirectory &root = context_.root;
  dpkgdb::Diversions diversions = dpkgdb::Diversions::read(root);
  std::string path = diversions.resolve(conffile.path, record.name());
  std::string fresh = path + std::string(kFresh);
  if (!root.exists(fresh)) {
    // extraction put it in its place already
    if (root.status_followed(path)) conffile.hash = md5_of(root, path);
    return;
  }
  std::string hash = md5_of(root, fresh);
  bool is_there = root.status_followed(path).has_value();
  bool is_same = is_there && md5_of(root, path) == hash;
  if (is_there && !is_same && context_.conffile_choice == ConffileChoice::refuse) {
    throw Error(ErrorKind::package, fmt::format("conffile '{}' of '{}' is already there and differs from the package's",
                                                conffile.path, to_string(record.id())))
        .hint("--dpkgopt=force-confold keeps what is there, --dpkgopt=force-confnew takes the package's");
  }
  bool is_kept = is_same || (is_there && context_.conffile_choice == ConffileChoice::keep);
  context_.triggers.activate_path(path, &record);
  if (is_kept) {
    root.remove_file(fresh);
  } else {
    root.rename(fresh, path);
  }
  conffile.hash = hash;
  // dpkg notes each conffile on its own, which decides when its journal is folded into status
  context_.database.note(record);
}

void Configurer::refuse(const std::vector<PackageKey> &stuck, Dependencies &dependencies) {
  Error error(ErrorKind::package, "cannot configure the packages: their dependencies are not met");
  for (const PackageKey &key : stuck) {
    const PackageRecord *record = context_.database.find(key);
    std::string missing;
    if (record == nullptr || dependencies.check(*record, &missing) == Readiness::ready) continue;
    error.detail("needed by", fmt::format("{}: {}", to_string(record->id()), missing));
  }
  throw error;
}

}  // namespace debroot::configure
