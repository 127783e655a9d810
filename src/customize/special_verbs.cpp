#include "customize/special_verbs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/text.hpp"
#include "customize/tar_copy.hpp"
#include "debroot/plan.hpp"

namespace debroot::customize {
namespace {

/// A directory or file inside the root, all links on the way followed.
struct InsidePlace {
  std::string directory;  ///< path of what holds it
  std::string name;       ///< "." for the root itself
};

std::string target_of(int fd) {
  std::error_code failure;
  std::filesystem::path target = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), failure);
  if (failure) throw base::os_error(ErrorKind::sandbox, failure.value(), "cannot read '/proc/self/fd'");
  return target.string();
}

class SpecialVerb {
 public:
  SpecialVerb(const SpecialVerbContext &context, const std::vector<std::string> &words)
      : root_(context.root),
        wire_(context.wire),
        context_(context),
        verb_(words[0]),
        paths_(words.begin() + 1, words.end()) {}

  void copy_in() {
    std::string directory = required_directory(paths_.back());
    for (std::size_t i = 0; i + 1 < paths_.size(); ++i) unpack_from("mktar", paths_[i], directory);
  }

  void copy_out() {
    for (std::size_t i = 0; i + 1 < paths_.size(); ++i) {
      InsidePlace place = required_place(paths_[i]);
      wire_.request("untar", paths_.back());
      send_tar(place);
    }
  }

  void sync_in() { unpack_from("mktac", paths_[0], required_directory(paths_[1])); }

  void sync_out() {
    InsidePlace place{required_directory(paths_[0]), "."};
    wire_.request("untar", paths_[1]);
    send_tar(place);
  }

  void tar_in() { unpack_from("openr", paths_[0], required_directory(paths_[1])); }

  void tar_out() {
    InsidePlace place = required_place(paths_[0]);
    wire_.request("openw", paths_[1]);
    send_tar(place);
  }

  void upload() {
    const std::string &path = paths_[1];
    std::string leaf;
    std::optional<base::Fd> parent = root_.try_open_parent(path, leaf);
    if (!parent) throw failure(path, "its directory does not exist in the root");
    auto info = root_.status_followed(path);
    if (leaf == "." || path.ends_with('/') || (info && S_ISDIR(info->st_mode))) {
      throw failure(path, "it is a directory in the root");
    }
    wire_.request("openr", paths_[0]);
    base::Fd file = root_.open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    while (std::optional<std::string> piece = wire_.receive_content()) base::write_all(file.get(), *piece, path);
    wire_.thank_for_content();
  }

  void download() {
    const std::string &path = paths_[0];
    auto info = root_.status_followed(path);
    if (!info) throw failure(path, "it does not exist in the root");
    if (!S_ISREG(info->st_mode)) throw failure(path, "it is not a regular file in the root");
    base::Fd file = root_.open_file(path, O_RDONLY);
    wire_.request("openw", paths_[1]);
    std::array<char, 4096> buffer{};
    while (true) {
      ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw base::os_error(ErrorKind::script, errno, fmt::format("cannot read '{}' in the root", path));
      if (got == 0) break;
      wire_.send_content({buffer.data(), static_cast<std::size_t>(got)});
    }
    wire_.finish_content();
  }

 private:
  [[nodiscard]] Error failure(const std::string &path, std::string_view cause) const {
    return {ErrorKind::script, fmt::format("cannot {} '{}': {}", verb_, path, cause)};
  }

  std::string required_directory(const std::string &path) const {
    auto info = root_.status_followed(path);
    if (!info) throw failure(path, "there is no such directory in the root");
    if (!S_ISDIR(info->st_mode)) throw failure(path, "it is not a directory in the root");
    return path;
  }

  /// The kernel resolves the path; what it came to is named below the root.
  InsidePlace required_place(const std::string &path) const {
    std::optional<base::Fd> fd = root_.try_open_file(path, O_PATH);
    if (!fd) throw failure(path, "it does not exist in the root");
    std::string whole = target_of(root_.fd());
    std::string found = target_of(fd->get());
    if (found == whole) return {"/", "."};
    std::string inside = whole == "/" ? found : found.substr(std::min(whole.size(), found.size()));
    std::size_t slash = inside.rfind('/');
    return {slash == 0 || slash == std::string::npos ? "/" : inside.substr(0, slash), inside.substr(slash + 1)};
  }

  void send_tar(const InsidePlace &place) {
    base::Fd directory = root_.open_file(place.directory, O_RDONLY | O_DIRECTORY);
    write_tar(directory.get(), place.name, place.directory,
              [this](std::string_view bytes) { wire_.send_content(bytes); });
    wire_.finish_content();
  }

  void unpack_from(std::string_view request, const std::string &outside, const std::string &directory) {
    ExtractRules rules;
    rules.keeps_owner = ::geteuid() == 0;
    rules.leaves_out_nodes = is_skipped(context_.skips, verb_ + "/mknod");
    rules.nodes_hint = fmt::format("--skip={}/mknod", verb_);
    rules.on_warning = context_.on_warning;
    wire_.request(request, outside);
    extract_tar([this] { return wire_.receive_content(); }, root_, directory, rules);
    wire_.thank_for_content();
  }

  const base::RootDirectory &root_;
  HookWire &wire_;
  const SpecialVerbContext &context_;
  const std::string &verb_;
  std::vector<std::string> paths_;
};

struct VerbRow {
  std::string_view name;
  bool takes_many;  ///< else two paths
  void (SpecialVerb::*run)();
};

constexpr std::array<VerbRow, 8> kVerbs = {{{"copy-in", true, &SpecialVerb::copy_in},
                                            {"copy-out", true, &SpecialVerb::copy_out},
                                            {"sync-in", false, &SpecialVerb::sync_in},
                                            {"sync-out", false, &SpecialVerb::sync_out},
                                            {"tar-in", false, &SpecialVerb::tar_in},
                                            {"tar-out", false, &SpecialVerb::tar_out},
                                            {"upload", false, &SpecialVerb::upload},
                                            {"download", false, &SpecialVerb::download}}};

const VerbRow *row_of(std::string_view verb) noexcept {
  const auto *row = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbRow &one) { return one.name == verb; });
  return row == kVerbs.end() ? nullptr : row;
}

}  // namespace

bool is_special_verb(std::string_view command) noexcept {
  std::size_t blank = command.find(' ');
  return blank != std::string_view::npos && row_of(command.substr(0, blank)) != nullptr;
}

void run_special_verb(const SpecialVerbContext &context, const std::vector<std::string> &words) {
  std::string verb = words.empty() ? "" : words[0];
  try {
    const VerbRow *row = row_of(verb);
    if (row == nullptr) throw Error(ErrorKind::usage, fmt::format("unknown special hook '{}'", verb));
    std::size_t paths = words.size() - 1;
    if (paths < 2 || (paths > 2 && !row->takes_many)) {
      throw Error(ErrorKind::usage,
                  fmt::format("'{}' takes {}two paths, not {}", verb, row->takes_many ? "at least " : "", paths));
    }
    SpecialVerb work(context, words);
    (work.*row->run)();
  } catch (const HookRefusal &) {
    throw;  // the other half knows
  } catch (const Error &error) {
    context.wire.refuse(error);
    throw;
  }
}

}  // namespace debroot::customize
