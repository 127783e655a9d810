#include "cache/inventory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "cache/private_directory.hpp"

namespace debroot::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDaySeconds = std::int64_t{24} * 60 * 60;

struct CachedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::int64_t used_seconds = 0;
};

/// Plain files below a directory, which may be missing.
std::vector<CachedFile> files_below(const std::string &directory) {
  std::vector<CachedFile> out;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(directory, failure), end; !failure && at != end; at.increment(failure)) {
    struct stat info {};
    if (::lstat(at->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    out.push_back({at->path(), static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec});
  }
  return out;
}

FileGroup group_of(const std::vector<CachedFile> &files) {
  FileGroup out;
  for (const CachedFile &file : files) {
    ++out.files;
    out.bytes += file.bytes;
  }
  return out;
}

/// The lock of a download, which somebody who writes it holds. Nothing when that is so.
std::optional<base::Fd> lock_of(const std::string &path) {
  base::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return std::nullopt;
  return fd;
}

/// Something that may go, with the time when it was used last.
struct Item {
  std::int64_t used_seconds = 0;
  std::uint64_t bytes = 0;
  std::function<void()> remove;
};

class Pruning {
 public:
  Pruning(std::string directory, const PruneLimits &limits, std::int64_t now)
      : directory_(std::move(directory)), limits_(limits), now_(now) {
    std::string why;
    if (fs::is_directory(directory_ + "/states")) store_ = StateStore::open(directory_, why);
  }

  Pruned run() {
    for (const CachedFile &file : files_below(directory_ + "/partial")) {
      // held until it is gone: who opened it meanwhile sees that and begins anew
      if (std::optional<base::Fd> lock = lock_of(file.path)) remove_file(file);
    }
    std::vector<Item> items = collect();
    std::sort(items.begin(), items.end(),
              [](const Item &left, const Item &right) { return left.used_seconds < right.used_seconds; });
    std::uint64_t sum = 0;
    for (const Item &item : items) sum += item.bytes;
    for (const Item &item : items) {
      bool is_old = limits_.unused_days && item.used_seconds < now_ - *limits_.unused_days * kDaySeconds;
      bool is_too_much = limits_.bytes && sum > *limits_.bytes;
      if (!limits_.removes_all && !is_old && !is_too_much) continue;
      item.remove();
      sum -= item.bytes;
    }
    return out_;
  }

 private:
  std::vector<Item> collect() {
    std::vector<Item> items;
    for (const char *part : {"/files", "/releases", "/plans"}) {
      for (const CachedFile &file : files_below(directory_ + part)) {
        items.push_back({file.used_seconds, file.bytes, [this, file] { remove_file(file); }});
      }
    }
    if (!store_) return items;
    for (const StateRecord &record : store_->list()) {
      std::uint64_t bytes = StateStore::kept_bytes({record});
      items.push_back({record.used_seconds, bytes, [this, record, bytes] {
                         store_->remove(record.key);
                         if (record.standing == Standing::kept) ++out_.states;
                         out_.bytes += bytes;
                       }});
    }
    return items;
  }

  void remove_file(const CachedFile &file) {
    if (::unlink(file.path.c_str()) != 0) {
      if (errno == ENOENT) return;
      throw base::os_error(ErrorKind::output, errno, fmt::format("cannot remove '{}'", file.path));
    }
    ++out_.files;
    out_.bytes += file.bytes;
  }

  std::string directory_;
  const PruneLimits &limits_;
  std::int64_t now_;
  std::optional<StateStore> store_;
  Pruned out_;
};

}  // namespace

Inventory take_inventory(const std::string &directory) {
  Inventory out;
  out.downloads = group_of(files_below(directory + "/files"));
  out.partial = group_of(files_below(directory + "/partial"));
  out.releases = group_of(files_below(directory + "/releases"));
  out.plans = group_of(files_below(directory + "/plans"));
  if (!fs::is_directory(directory + "/states")) return out;
  if (auto store = StateStore::open(directory, out.why_no_states)) out.states = store->list();
  return out;
}

Pruned prune(const std::string &directory, const PruneLimits &limits, std::int64_t now) {
  return Pruning(directory, limits, now).run();
}

}  // namespace debroot::cache
