#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "stand_ins/program/files.hpp"
#include "stand_ins/program/tools.hpp"

namespace debroot::stand_ins {
namespace {

/// Programs that keep the links where they are: then it is up to them.
constexpr std::array kKeepers = {"/sbin/insserv", "/usr/lib/insserv/insserv", "/sbin/openrc"};

struct Runlevels {
  std::vector<std::string_view> start;
  std::vector<std::string_view> stop;
};

bool are_usual(const std::vector<std::string_view> &levels) {
  return std::all_of(levels.begin(), levels.end(), [](std::string_view level) {
    return level.size() == 1 && ((level[0] >= '0' && level[0] <= '6') || level[0] == 'S');
  });
}

bool is_mark(std::string_view line, std::string_view mark) {
  if (line.substr(0, mark.size()) != mark) return false;
  line.remove_prefix(mark.size());
  return std::all_of(line.begin(), line.end(), is_space);
}

/// From the script's LSB header.
Runlevels read_runlevels(std::string_view script) {
  constexpr std::string_view kStart = "# Default-Start:";
  constexpr std::string_view kStop = "# Default-Stop:";
  Runlevels out;
  bool is_inside = false;
  for (std::string_view line : lines_of(script)) {
    if (is_mark(line, "### END INIT INFO")) break;
    if (is_mark(line, "### BEGIN INIT INFO")) {
      is_inside = true;
    } else if (is_inside && line.substr(0, kStart.size()) == kStart) {
      out.start = words_of(line.substr(kStart.size()));
    } else if (is_inside && line.substr(0, kStop.size()) == kStop) {
      out.stop = words_of(line.substr(kStop.size()));
    }
  }
  return out;
}

/// Whether `name` is "S20" or "K01" and the like in front of `script`.
bool is_link_name(std::string_view name, std::string_view script) {
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return name.size() == script.size() + 3 && (name[0] == 'S' || name[0] == 'K') && is_digit(name[1]) &&
         is_digit(name[2]) && name.substr(3) == script;
}

/// What cannot be listed is as good as empty.
std::vector<std::string> listed(const std::string &path) { return names_in(path).value_or(std::vector<std::string>()); }

/// Links in any directory /etc/rc?.d.
bool has_links(std::string_view script) {
  for (const std::string &directory : listed("/etc")) {
    bool is_level = directory.size() == 5 && directory.compare(0, 2, "rc") == 0 && directory.compare(3, 2, ".d") == 0;
    if (!is_level) continue;
    std::vector<std::string> names = listed("/etc/" + directory);
    if (std::any_of(names.begin(), names.end(), [&](const std::string &name) { return is_link_name(name, script); })) {
      return true;
    }
  }
  return false;
}

/// What cannot be made is passed over, as by the tool.
void make_links(std::string_view script, const std::vector<std::string_view> &levels, char kind) {
  for (std::string_view level : levels) {
    std::string directory = std::string("/etc/rc").append(level).append(".d");
    ::mkdir("/etc", 0755);
    ::mkdir(directory.c_str(), 0755);
    std::string target = std::string("../init.d/").append(script);
    std::string link = directory.append("/").append(1, kind).append("01").append(script);
    static_cast<void>(::symlink(target.c_str(), link.c_str()) == 0);
  }
}

}  // namespace

std::optional<int> run_update_rc_d(const Call &call) {
  if (call.arguments.size() < 2) return std::nullopt;
  std::string_view script = call.arguments[0];
  std::string_view action = call.arguments[1];
  bool is_disabled = action == "defaults-disabled";
  if (action != "defaults" && !is_disabled) return std::nullopt;
  bool is_usual = is_plain_name(script) && script.front() != '-' && script.find('\\') == std::string_view::npos &&
                  variable("DPKG_ROOT").empty() && is_plain_for_perl() && !is_systemd_running() &&
                  std::none_of(kKeepers.begin(), kKeepers.end(), is_there);
  if (!is_usual) return std::nullopt;
  if (has_links(script)) return 0;
  std::optional<std::string> text = read_file(std::string("/etc/init.d/").append(script));
  if (!text) return std::nullopt;
  Runlevels levels = read_runlevels(*text);
  if (!are_usual(levels.start) || !are_usual(levels.stop)) return std::nullopt;
  make_links(script, levels.start, is_disabled ? 'K' : 'S');
  make_links(script, levels.stop, 'K');
  return 0;
}

}  // namespace debroot::stand_ins
