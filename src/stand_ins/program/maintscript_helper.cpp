#include <algorithm>
#include <array>

#include "stand_ins/program/files.hpp"
#include "stand_ins/program/tools.hpp"

namespace debroot::stand_ins {
namespace {

struct Command {
  std::string_view name;
  std::size_t paths;  ///< how many arguments it needs in front of version and package
};
constexpr std::array kCommands = {Command{"rm_conffile", 1}, Command{"mv_conffile", 2}, Command{"symlink_to_dir", 2},
                                  Command{"dir_to_symlink", 2}};

/// What dpkg says nothing about: [epoch:]upstream[-revision] of the usual characters, beginning with a digit. There are
/// other versions that it would let pass.
bool is_certainly_version(std::string_view text) noexcept {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    std::string_view epoch = text.substr(0, colon);
    if (epoch.empty() || epoch.size() > 4 || !std::all_of(epoch.begin(), epoch.end(), is_digit)) return false;
    text.remove_prefix(colon + 1);
  }
  if (text.empty() || !is_digit(text.front()) || text.back() == '-') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".+~-").find(c) != std::string_view::npos;
  });
}

/// The helper asks test(1) about its arguments, which takes some for operators.
bool is_plain_operand(std::string_view argument) noexcept {
  return argument != "!" && argument != "(" && argument != ")" && (argument.empty() || argument.front() != '-');
}

/// A command's arguments: PATH… [VERSION [PACKAGE]] -- ACTION [OLD-VERSION].
struct Task {
  std::vector<std::string_view> paths;
  std::string_view action;
  std::string_view former;  ///< the version that was there before; empty on a first installation
};

std::optional<Task> read_task(const std::vector<std::string_view> &arguments, std::size_t paths) {
  auto separator = std::find(arguments.begin(), arguments.end(), "--");
  auto before = static_cast<std::size_t>(separator - arguments.begin());
  std::size_t after = arguments.size() - before;
  if (before < paths || before > paths + 2 || after < 2) return std::nullopt;
  if (!std::all_of(arguments.begin(), separator, is_plain_operand)) return std::nullopt;
  std::string_view version = before > paths ? arguments[paths] : std::string_view();
  if (!version.empty() && !is_certainly_version(version)) return std::nullopt;
  Task task{{arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(paths)}, separator[1], {}};
  if (after > 2) task.former = separator[2];
  return task;
}

bool are_paths_in_order(std::string_view command, const Task &task) noexcept {
  bool is_conffile = command == "rm_conffile" || command == "mv_conffile";
  for (std::size_t i = 0; i < task.paths.size(); ++i) {
    bool is_target = !is_conffile && i == 1;
    if (task.paths[i].empty() || (!is_target && task.paths[i].front() != '/')) return false;
  }
  return is_conffile || (task.paths[0].size() > 1 && task.paths[0].back() != '/');
}

/// Whether the helper has nothing to do: it acts on what a former version left.
bool is_idle(std::string_view command, const Task &task, std::string_view script) {
  if (script == "preinst") return (task.action == "install" || task.action == "upgrade") && task.former.empty();
  if (script != "postinst") return false;
  if (task.action == "triggered") return true;
  if (task.action != "configure" || !task.former.empty()) return false;
  bool is_conffile = command == "rm_conffile" || command == "mv_conffile";
  return is_conffile || !is_there(std::string(task.paths[0]) + ".dpkg-backup");
}

bool has_usual_surroundings() {
  return variable("DPKG_ROOT").empty() && variable("DPKG_DEBUG").empty() && variable("DPKG_DATADIR").empty() &&
         !variable("DPKG_MAINTSCRIPT_NAME").empty() && !variable("DPKG_MAINTSCRIPT_PACKAGE").empty() &&
         is_file("/usr/share/dpkg/sh/dpkg-error.sh");
}

}  // namespace

std::optional<int> run_maintscript_helper(const Call &call) {
  if (call.arguments.empty() || !has_usual_surroundings()) return std::nullopt;
  auto find = [](std::string_view name) {
    return std::find_if(kCommands.begin(), kCommands.end(), [&](const Command &each) { return each.name == name; });
  };
  if (call.arguments[0] == "supports") {
    return call.arguments.size() > 1 && find(call.arguments[1]) != kCommands.end() ? 0 : 1;
  }
  const auto *command = find(call.arguments[0]);
  if (command == kCommands.end()) return std::nullopt;
  std::optional<Task> task = read_task({call.arguments.begin() + 1, call.arguments.end()}, command->paths);
  if (!task || !are_paths_in_order(command->name, *task)) return std::nullopt;
  if (!is_idle(command->name, *task, variable("DPKG_MAINTSCRIPT_NAME"))) return std::nullopt;
  return 0;
}

}  // namespace debroot::stand_ins
