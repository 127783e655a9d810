#include "cache/plan_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/host_file.hpp"
#include "cache/private_directory.hpp"

namespace debroot::cache {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
constexpr std::size_t kDigestBytes = 64;

std::string digest_of(std::string_view bytes) { return base::hash_of(base::HashKind::sha256, bytes); }

}  // namespace

std::optional<PlanStore> PlanStore::open(const std::string &cache_directory) {
  std::string directory = cache_directory + "/plans";
  if (base::make_private_directories(directory) != 0 || why_not_private(directory)) return std::nullopt;
  return PlanStore(std::move(directory));
}

std::optional<std::string> PlanStore::take(const std::string &key) const {
  std::string path = fmt::format("{}/{}", directory_, key);
  if (::access(path.c_str(), R_OK) != 0) return std::nullopt;
  try {
    std::string text = base::read_file(path, kMostBytes);
    std::string_view answer = text.size() > kDigestBytes ? std::string_view(text).substr(kDigestBytes + 1) : "";
    if (text.substr(0, kDigestBytes) != digest_of(answer)) return std::nullopt;
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return std::string(answer);
  } catch (const Error &) {
    return std::nullopt;
  }
}

void PlanStore::keep(const std::string &key, std::string_view answer, std::size_t most) const noexcept {
  try {
    base::write_whole(fmt::format("{}/{}", directory_, key), fmt::format("{}\n{}", digest_of(answer), answer));
    shrink(most);
  } catch (const std::exception &) {
    // the next build works it out again
  }
}

void PlanStore::shrink(std::size_t most) const {
  std::vector<std::pair<std::int64_t, std::string>> files;
  std::error_code failure;
  for (const auto &entry : std::filesystem::directory_iterator(directory_, failure)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0) continue;
    constexpr std::int64_t kSecond = 1'000'000'000;
    files.emplace_back(info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec, entry.path());
  }
  if (files.size() <= most) return;
  std::sort(files.begin(), files.end());
  files.resize(files.size() - most);
  for (const auto &[time, path] : files) ::unlink(path.c_str());
}

}  // namespace debroot::cache
