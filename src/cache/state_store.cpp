#include "cache/state_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/host_file.hpp"
#include "base/text.hpp"
#include "cache/private_directory.hpp"

namespace debroot::cache {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRecordSuffix = ".json";
constexpr std::string_view kStateSuffix = ".state";
constexpr std::uint64_t kMostRecordBytes = std::uint64_t{64} * 1024;

constexpr std::array<std::pair<Standing, std::string_view>, 3> kStandings = {
    {{Standing::seen, "seen"}, {Standing::kept, "kept"}, {Standing::random, "random"}}};

std::string_view word_of(Standing standing) {
  for (const auto &[one, word] : kStandings) {
    if (one == standing) return word;
  }
  return "seen";
}

Json json_of(const StateRecord &record) {
  return {{"standing", word_of(record.standing)},      {"suite", record.facts.suite},
          {"architecture", record.facts.architecture}, {"variant", record.facts.variant},
          {"packages", record.facts.packages},         {"tar_sha256", record.parts.tar_digest},
          {"tar_bytes", record.parts.tar_bytes},       {"extras_sha256", record.parts.extras_digest},
          {"extras_bytes", record.parts.extras_bytes}, {"ended_milliseconds", record.ended_milliseconds},
          {"likeness_sha256", record.parts.likeness}};
}

/// Nothing for what is no record, which is as good as none.
std::optional<StateRecord> record_from(const std::string &key, const std::string &text) {
  try {
    Json json = Json::parse(text);
    StateRecord out;
    out.key = key;
    auto standing = json.at("standing").get<std::string>();
    const auto *found =
        std::find_if(kStandings.begin(), kStandings.end(), [&](auto &one) { return one.second == standing; });
    if (found == kStandings.end()) return std::nullopt;
    out.standing = found->first;
    json.at("suite").get_to(out.facts.suite);
    json.at("architecture").get_to(out.facts.architecture);
    json.at("variant").get_to(out.facts.variant);
    json.at("packages").get_to(out.facts.packages);
    json.at("tar_sha256").get_to(out.parts.tar_digest);
    json.at("tar_bytes").get_to(out.parts.tar_bytes);
    json.at("extras_sha256").get_to(out.parts.extras_digest);
    json.at("extras_bytes").get_to(out.parts.extras_bytes);
    json.at("ended_milliseconds").get_to(out.ended_milliseconds);
    out.parts.likeness = json.value("likeness_sha256", "");
    return out;
  } catch (const Json::exception &) {
    return std::nullopt;
  }
}

bool is_alike(const StateRecord &known, const Observation &seen) { return known.parts.likeness == seen.parts.likeness; }

std::uint64_t size_of(const StateRecord &record) {
  return record.standing == Standing::kept ? record.parts.tar_bytes + record.parts.extras_bytes : 0;
}

}  // namespace

StateFile::~StateFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

bool StateFile::publish(const std::string &path) {
  if (!path_.empty()) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    path_.clear();
    return true;
  }
  return base::link_unnamed(fd_.get(), AT_FDCWD, path) == 0;
}

std::optional<StateStore> StateStore::open(const std::string &cache_directory, std::string &why) {
  std::string directory = cache_directory + "/states";
  if (int failure = base::make_private_directories(directory); failure != 0) {
    why = base::os_error(ErrorKind::output, failure, fmt::format("cannot make '{}'", directory)).message();
    return std::nullopt;
  }
  if (auto cause = why_not_private(directory)) {
    why = *cause;
    return std::nullopt;
  }
  return StateStore(std::move(directory));
}

std::string StateStore::record_path(const std::string &key) const {
  return fmt::format("{}/{}{}", directory_, key, kRecordSuffix);
}
std::string StateStore::state_path(const std::string &key) const {
  return fmt::format("{}/{}{}", directory_, key, kStateSuffix);
}

std::optional<StateRecord> StateStore::find(const std::string &key) const {
  std::string path = record_path(key);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  try {
    std::optional<StateRecord> record = record_from(key, base::read_file(path, kMostRecordBytes));
    if (record) record->used_seconds = info.st_mtim.tv_sec;
    return record;
  } catch (const Error &) {
    return std::nullopt;  // somebody has just removed it
  }
}

std::optional<KeptState> StateStore::take(const std::string &key) const {
  std::optional<StateRecord> record = find(key);
  if (!record || record->standing != Standing::kept) return std::nullopt;
  base::Fd fd(::open(state_path(key).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  bool is_whole = fd && ::fstat(fd.get(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size_of(*record);
  if (!is_whole) {
    drop(key, record->parts.tar_digest);
    return std::nullopt;
  }
  ::utimensat(AT_FDCWD, record_path(key).c_str(), nullptr, 0);
  return KeptState{std::move(fd), record->parts};
}

void StateStore::unlink_both(const std::string &key) const {
  ::unlink(record_path(key).c_str());
  ::unlink(state_path(key).c_str());
}

void StateStore::drop(const std::string &key, const std::string &tar_digest) const {
  DirectoryLock lock(directory_);
  std::optional<StateRecord> record = find(key);
  if (!record || record->parts.tar_digest == tar_digest) unlink_both(key);
}

std::optional<StateFile> StateStore::make_file(std::uint64_t expected_bytes, const Bounds &bounds) const {
  struct statvfs system {};
  if (expected_bytes > bounds.bytes || ::statvfs(directory_.c_str(), &system) != 0) return std::nullopt;
  std::uint64_t free_bytes = std::uint64_t{system.f_bavail} * system.f_frsize;
  if (free_bytes < expected_bytes + bounds.free_bytes) return std::nullopt;
  base::Fd fd(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return StateFile(std::move(fd), {});
  std::string path = directory_ + "/new.XXXXXX";
  fd.reset(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return std::nullopt;
  return StateFile(std::move(fd), std::move(path));
}

void StateStore::write(const StateRecord &record) const {
  std::string text = json_of(record).dump(1, ' ', false, Json::error_handler_t::replace);
  base::write_whole(record_path(record.key), text + "\n");
}

Standing StateStore::settle(const Observation &seen, std::optional<StateFile> file, const Bounds &bounds) const {
  DirectoryLock lock(directory_);
  std::optional<StateRecord> known = find(seen.key);
  StateRecord now{seen.key, Standing::seen, seen.facts, seen.parts, seen.ended_milliseconds, 0};
  if (seen.has_random_files || (known && !is_alike(*known, seen)) || (known && known->standing == Standing::random)) {
    ::unlink(state_path(seen.key).c_str());
    now.standing = Standing::random;
    now.parts = {};
    write(now);
    return now.standing;
  }
  if (known) {
    now.ended_milliseconds = std::min(known->ended_milliseconds, seen.ended_milliseconds);
    // builds that overlap may have been given the same time of day
    bool is_independent = seen.begun_milliseconds > known->ended_milliseconds;
    if (known->standing == Standing::kept) return Standing::kept;  // the file is that of its record
    ::unlink(state_path(seen.key).c_str());                        // of nobody: no record speaks of it
    if (is_independent && file && file->publish(state_path(seen.key))) now.standing = Standing::kept;
  }
  write(now);
  if (now.standing == Standing::kept) evict(bounds.bytes, seen.key);
  return now.standing;
}

std::vector<StateRecord> StateStore::list() const {
  std::vector<StateRecord> out;
  std::error_code failure;
  for (const auto &entry : std::filesystem::directory_iterator(directory_, failure)) {
    std::string name = entry.path().filename();
    if (!name.ends_with(kRecordSuffix)) continue;
    if (auto record = find(name.substr(0, name.size() - kRecordSuffix.size()))) out.push_back(std::move(*record));
  }
  std::sort(out.begin(), out.end(), [](const StateRecord &left, const StateRecord &right) {
    return std::pair(left.used_seconds, left.key) < std::pair(right.used_seconds, right.key);
  });
  return out;
}

std::uint64_t StateStore::kept_bytes(const std::vector<StateRecord> &records) {
  std::uint64_t sum = 0;
  for (const StateRecord &record : records) sum += size_of(record);
  return sum;
}

void StateStore::remove(const std::string &key) const {
  DirectoryLock lock(directory_);
  unlink_both(key);
}

void StateStore::shrink(std::uint64_t bytes) const {
  DirectoryLock lock(directory_);
  evict(bytes, {});
}

void StateStore::evict(std::uint64_t bytes, const std::string &spared) const {
  std::vector<StateRecord> records = list();
  std::uint64_t sum = kept_bytes(records);
  for (StateRecord &record : records) {
    if (sum <= bytes) return;
    if (record.standing != Standing::kept || record.key == spared) continue;
    sum -= size_of(record);
    ::unlink(state_path(record.key).c_str());
    record.standing = Standing::seen;  // the next build that is alike keeps it again
    write(record);
  }
}

}  // namespace debroot::cache
