#include "build/stand_in_covers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/digest.hpp"
#include "stand_ins/program_file.hpp"

namespace debroot::build {

StandInCovers::StandInCovers(StandInContext context)
    : context_(std::move(context)), store_(base::RootDirectory::open(context_.store_path)) {
  for (const stand_ins::ToolPlace &place : stand_ins::tool_places()) {
    tools_.emplace(place.path, Tool{std::string(place.companion), {}, {}, false});
  }
}

void StandInCovers::before(const configure::ScriptCall &call, sandbox::RunRequest &request) {
  cover_known();
  std::string_view sleepy = stand_ins::script_that_sleeps_in_vain(call.argv[0]);
  request.skips_sleep = !sleepy.empty() && digest_of(call.argv[0]) == sleepy;
  bool is_script = call.argv[0].starts_with('/');
  if (!is_script || covered_.empty()) return;
  std::span<const std::string_view> copiers = twins::copiers();
  bool has_copiers =
      std::any_of(copiers.begin(), copiers.end(), [&](std::string_view path) { return context_.root.exists(path); });
  twins::ScriptView view = twins::view_for(context_.root.try_read(call.argv[0]).value_or(""), covered_, has_copiers);
  if (view.is_bare) request.sees_binds = false;
  uncovered_ = std::move(view.uncovered);
  context_.runner.unbind(uncovered_);
}

void StandInCovers::after() {
  // the next script has them covered again, if they still are what they were
  for (const std::string &path : uncovered_) {
    Tool &tool = tools_.at(path);
    tool.stamp = {};
    tool.is_covered = false;
    covered_.erase(std::string(twins::without_usr(path)));
  }
  uncovered_.clear();
}

void StandInCovers::cover_known() {
  for (auto &[path, tool] : tools_) look_at(path, tool);
}

void StandInCovers::look_at(const std::string &path, Tool &tool) {
  Stamp stamp = stamp_of(path);
  Stamp companion_stamp = tool.companion.empty() ? Stamp{} : stamp_of(tool.companion);
  if (stamp == tool.stamp && companion_stamp == tool.companion_stamp) return;
  if (tool.is_covered) {
    context_.runner.unbind({path});
    covered_.erase(std::string(twins::without_usr(path)));
  }
  tool.stamp = stamp;
  tool.companion_stamp = companion_stamp;
  tool.is_covered = false;
  bool is_whole = stamp != Stamp{} && (tool.companion.empty() || companion_stamp != Stamp{});
  if (!is_whole) return;
  std::string companion = tool.companion.empty() ? std::string() : digest_of(tool.companion);
  const stand_ins::KnownTool *known = stand_ins::find_known_tool(path, digest_of(path), companion);
  if (known == nullptr) return;
  context_.runner.bind({make_stand_in(path, known->dialect)});
  tool.is_covered = true;
  covered_.insert_or_assign(std::string(twins::without_usr(path)), path);
}

/// All zero for what is no regular file.
StandInCovers::Stamp StandInCovers::stamp_of(const std::string &path) const {
  std::optional<struct stat> info = context_.root.status(path);
  if (!info || !S_ISREG(info->st_mode)) return {};
  return {info->st_dev, info->st_ino, info->st_ctim.tv_sec, info->st_ctim.tv_nsec};
}

std::string StandInCovers::digest_of(const std::string &path) const {
  return base::hash_of_file(base::HashKind::sha256, context_.root.open_file(path, O_RDONLY).get());
}

/// A copy of the program for this tool, which looks like the tool as far as `stat` and `test` tell.
sandbox::ReadOnlyBind StandInCovers::make_stand_in(const std::string &path, stand_ins::Dialect dialect) const {
  struct stat covered = context_.root.status(path).value();
  std::string file = path.substr(path.rfind('/') + 1);
  store_.remove_file(file);
  store_.write(file, stand_ins::with_dialect(stand_ins::program_bytes(), dialect), 0755);
  store_.set_owner(file, covered.st_uid, covered.st_gid);
  store_.set_mode(file, covered.st_mode & 07777);
  timespec times[2] = {covered.st_mtim, covered.st_mtim};
  ::futimens(store_.open_file(file, O_RDONLY).get(), times);
  return {fmt::format("{}/{}", context_.store_path, file), path};
}

}  // namespace debroot::build
