#include "configure/configurer.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

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

void Configurer::install(const std::vector<PackageKey> &keys) { work_on(keys, true, true); }

void Configurer::configure(const std::vector<PackageKey> &keys) { work_on(keys, false, false); }

void Configurer::work_on(const std::vector<PackageKey> &keys, bool are_new, bool runs_triggers) {
  std::deque<PackageRecord *> queue;
  for (const PackageKey &key : keys) {
    PackageRecord *record = context_.database.find(key);
    bool is_wanted = record != nullptr && (is_unpacked(*record) || !record->triggers_pending.empty());
    if (is_wanted) queue.push_back(record);
  }
  std::set<const PackageRecord *> queued(queue.begin(), queue.end());
  std::vector<const PackageRecord *> known;  // what the database had before, then what this run unpacked
  for (const auto &[key, record] : context_.database.records()) {
    if (!are_new || queued.count(&record) == 0) known.push_back(&record);
  }
  if (are_new) known.insert(known.end(), queue.begin(), queue.end());
  Run run{{known, context_.native_architecture, std::move(queued)}, std::move(queue), {}, {}};
  work_through(run);
  if (runs_triggers) run_deferred_triggers(run);
  if (!run.refused.empty()) refuse(run);
}

void Configurer::configure_pending() {
  std::vector<PackageKey> keys;
  for (const auto &[key, record] : context_.database.records()) {
    bool is_wanted = record.want == dpkgdb::Want::install || record.want == dpkgdb::Want::hold;
    if (is_wanted && (is_unpacked(record) || !record.triggers_pending.empty())) keys.push_back(key);
  }
  std::stable_sort(keys.begin(), keys.end(),
                   [](const PackageKey &a, const PackageKey &b) { return queue_place(a.name) < queue_place(b.name); });
  work_on(keys, false, true);
}

/// dpkg's process_queue: its counting decides which link of a cycle is broken, and so the order of scripts.
void Configurer::work_through(Run &run) {
  while (!run.queue.empty()) {
    PackageRecord *record = run.queue.front();
    run.queue.pop_front();
    std::size_t rounds = run.idle++;
    bool is_stuck = rounds + 1 > run.queue.size() * 2 + 2;
    if (is_stuck && rounds <= run.queue.size() * 3 + 2 && run.effort >= Effort::triggers) {
      PackageRecord *helper = context_.triggers.find(run.dependencies.take_helper());
      if (helper != nullptr && !helper->triggers_pending.empty()) {
        enqueue(run, *record);
        step(run, *helper);
        continue;
      }
    }
    if (is_stuck) {
      run.effort = static_cast<Effort>(static_cast<int>(run.effort) + 1);
      run.idle = 0;
    }
    if (run.effort == Effort::given_up) {
      refuse_one(run, *record);
      for (PackageRecord *other : run.queue) refuse_one(run, *other);
      return;
    }
    step(run, *record);
  }
}

void Configurer::enqueue(Run &run, PackageRecord &record) {
  if (std::find(run.queue.begin(), run.queue.end(), &record) == run.queue.end()) run.queue.push_back(&record);
}

void Configurer::refuse_one(Run &run, PackageRecord &record) {
  run.dependencies.give_up(record);
  run.refused.push_back(&record);
  run.idle = 0;
}

Readiness Configurer::check(Run &run, const PackageRecord &record) {
  auto has_postinst = [this](const PackageRecord &of) {
    return context_.root.exists(dpkgdb::Database::info_path(of, "postinst"));
  };
  if (run.effort >= Effort::cycles && run.dependencies.break_cycle(record, has_postinst)) run.idle = 0;
  return run.dependencies.check(record);
}

/// What the package needs most: its triggers, once it is their time, or to be configured.
void Configurer::step(Run &run, PackageRecord &record) {
  bool has_triggers = !record.triggers_pending.empty();
  if (!has_triggers && !is_unpacked(record)) return;  // its triggers ran meanwhile
  if (has_triggers && run.effort < Effort::triggers) {
    enqueue(run, record);
    return;
  }
  switch (check(run, record)) {
    case Readiness::waiting:
      enqueue(run, record);
      return;
    case Readiness::blocked:
      refuse_one(run, record);
      return;
    case Readiness::ready:
      break;
  }
  run.idle = 0;
  if (has_triggers) {
    process_triggers(run, record);
  } else {
    run.cycle.reset();
    configure_one(record);
  }
}

void Configurer::run_deferred_triggers(Run &run) {
  while (PackageRecord *record = context_.triggers.take_deferred()) {
    if (record->triggers_pending.empty()) {
      context_.triggers.clear_awaiters(*record);
    } else if (check(run, *record) == Readiness::ready) {
      process_triggers(run, *record);
    } else {
      run.cycle.reset();
    }
  }
}

void Configurer::configure_one(PackageRecord &record) {
  if (context_.on_package) context_.on_package(record);
  if (auto triggers = context_.root.try_read(dpkgdb::Database::info_path(record, "triggers"))) {
    context_.triggers.activate_directives(*triggers, record);
  }
  // dpkg notes a package as it takes it up, changed or not: that decides when its journal is folded into status
  context_.database.note(record);
  if (record.state == State::unpacked) {
    for (Conffile &conffile : record.conffiles) {
      if (!conffile.is_obsolete && !conffile.is_remove_on_upgrade) settle_conffile(record, conffile);
    }
  }
  record.state = State::half_configured;
  context_.database.note(record);
  context_.scripts.run_postinst(record, {"configure", record.config_version});
  record.flag = dpkgdb::Flag::ok;
  record.triggers_pending.clear();
  finish_script(record);
}

void Configurer::process_triggers(Run &run, PackageRecord &record) {
  context_.triggers.forget_deferred(record);
  run.cycle.check(record, context_.database);
  std::string names = base::join(record.triggers_pending, " ");
  record.triggers_pending.clear();
  record.state = State::half_configured;
  context_.database.note(record);
  // those who wait for it go on before its script runs: that is when dpkg's database stops saying "pending"
  context_.triggers.clear_awaiters(record);
  context_.scripts.run_postinst(record, {"triggered", names});
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
    if (!root.status_followed(path)) return;
    // extraction put it in its place already; dpkg finds it there as well, beside its own copy, and notes what it does
    conffile.hash = md5_of(root, path);
    context_.database.note(record);
    return;
  }
  std::string hash = md5_of(root, fresh);
  std::optional<struct stat> present = root.status_followed(path);
  bool is_same = present && md5_of(root, path) == hash;
  if (present && !is_same && context_.conffile_choice == ConffileChoice::refuse) {
    throw Error(ErrorKind::package, fmt::format("conffile '{}' of '{}' is already there and differs from the package's",
                                                conffile.path, to_string(record.id())))
        .hint("--dpkgopt=force-confold keeps what is there, --dpkgopt=force-confnew takes the package's");
  }
  if (is_same) {
    root.remove_file(fresh);
  } else {
    context_.triggers.activate_path(path, &record);
    put_conffile(path, present);
  }
  conffile.hash = hash;
  context_.database.note(record);
}

/// Puts the package's conffile in place, or beside what is there; dpkg keeps the one that lost under another name.
void Configurer::put_conffile(const std::string &path, const std::optional<struct stat> &present) {
  const base::RootDirectory &root = context_.root;
  std::string fresh = path + std::string(kFresh);
  if (present) {
    root.set_owner(fresh, present->st_uid, present->st_gid);
    root.set_mode(fresh, present->st_mode & 07777);
  }
  if (present && context_.conffile_choice == ConffileChoice::keep) {
    root.rename(fresh, path + ".dpkg-dist");
    return;
  }
  if (present) root.rename(path, path + ".dpkg-old");
  root.rename(fresh, path);
}

void Configurer::refuse(Run &run) {
  Error error(ErrorKind::package, "cannot configure the packages: their dependencies are not met");
  for (const PackageRecord *record : run.refused) {
    std::string missing;
    if (run.dependencies.check(*record, &missing) == Readiness::ready) continue;
    error.detail("needed by", fmt::format("{}: {}", to_string(record->id()), missing));
  }
  throw error;
}

}  // namespace debroot::configure
