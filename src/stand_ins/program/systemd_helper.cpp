#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "stand_ins/program/files.hpp"
#include "stand_ins/program/spawn.hpp"
#include "stand_ins/program/tools.hpp"
#include "stand_ins/program/unit_file.hpp"

namespace debroot::stand_ins {
namespace {

constexpr std::string_view kStateDirectory = "/var/lib/systemd/deb-systemd-";

class SystemdHelper {
 public:
  SystemdHelper(const Call &call, std::string_view instance, bool is_quiet, std::string_view unit)
      : call_(call), instance_(instance), is_quiet_(is_quiet), unit_(unit) {}

  std::optional<int> run(std::string_view action) {
    if (action == "enable") return enable();
    if (action == "update-state") return update_state();
    if (action == "unmask") return unmask();
    if (action == "was-enabled") return was_enabled();
    if (action == "is-enabled") return is_enabled();
    if (action == "debian-installed") return is_file(state_file()) ? 0 : 1;
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::string state_directory(std::string_view kind) const {
    return std::string(kStateDirectory).append(instance_ == "user" ? "user-helper-" : "helper-").append(kind);
  }
  /// Lists the unit's links. Its presence says that the unit has been enabled by the helper before.
  [[nodiscard]] std::string state_file() const {
    return state_directory("enabled").append("/").append(unit_).append(".dsh-also");
  }
  [[nodiscard]] std::optional<std::vector<UnitLink>> links() const {
    return links_of(unit_, {instance_, call_.dialect});
  }

  std::optional<int> tell(bool is_enabled) const {
    if (!is_quiet_) complain(is_enabled ? "enabled\n" : "disabled\n");
    return is_enabled ? 0 : 1;
  }

  /// A unit without links counts as enabled; so does one that was never recorded.
  [[nodiscard]] std::optional<int> was_enabled() const {
    std::string text = read_file(state_file()).value_or("");
    if (text.find('\0') != std::string::npos) return std::nullopt;
    std::vector<std::string_view> lines = lines_of(text);
    return tell(
        std::all_of(lines.begin(), lines.end(), [](std::string_view line) { return is_link(std::string(line)); }));
  }

  [[nodiscard]] std::optional<int> is_enabled() const {
    std::optional<std::vector<UnitLink>> all = links();
    if (!all) return std::nullopt;
    return tell(std::all_of(all->begin(), all->end(), [](const UnitLink &link) { return is_link(link.path); }));
  }

  /// Only masks of the helper's own are taken away, and on a first installation there are none.
  [[nodiscard]] std::optional<int> unmask() const {
    std::string mask = std::string("/etc/systemd/").append(instance_).append("/").append(unit_);
    bool has_masks = is_there(std::string(kStateDirectory) + "helper-masked") ||
                     is_there(std::string(kStateDirectory) + "user-helper-masked");
    if (has_masks || exists(mask)) return std::nullopt;
    return 0;
  }

  [[nodiscard]] std::optional<int> update_state() const {
    std::optional<std::vector<UnitLink>> all = links();
    if (!all) return std::nullopt;
    std::string text;
    for (const UnitLink &link : *all) text.append(link.path).append("\n");
    std::string file = state_file();
    if (!make_directories(directory_of(file)) || !replace_file(file, text)) return std::nullopt;
    return 0;
  }

  [[nodiscard]] std::optional<int> enable() const {
    std::optional<std::vector<UnitLink>> all = links();
    if (!all) return std::nullopt;
    bool creates_links = true;
    if (is_executable("/bin/systemctl") || is_executable("/usr/bin/systemctl")) {
      if (is_file(state_file())) {
        creates_links = std::any_of(all->begin(), all->end(), [](const UnitLink &link) { return is_link(link.path); });
      } else {
        creates_links = false;
        std::optional<bool> is_preset = preset();
        if (!is_preset) return std::nullopt;
        if (!*is_preset) return fail_preset();
      }
    }
    if (!all->empty() && !record(*all)) return std::nullopt;
    for (const UnitLink &link : *all) {
      if (!install(link, creates_links)) return std::nullopt;
    }
    return 0;
  }

  /// Lets systemd's presets decide; whether that went well, or nothing when it could not be started.
  [[nodiscard]] std::optional<bool> preset() const {
    std::vector<std::string> arguments = {"systemctl"};
    if (call_.dialect == Dialect::second) arguments.emplace_back("--root=/");
    arguments.emplace_back(instance_ == "user" ? "--global" : "--system");
    for (std::string_view each : {std::string_view("--preset-mode=enable-only"), std::string_view("preset"), unit_}) {
      arguments.emplace_back(each);
    }
    std::optional<int> status = run_program(arguments);
    return status ? std::optional(*status == 0) : std::nullopt;
  }

  /// The cause that the helper names is the one of its last question, after the state file that is not there.
  [[nodiscard]] std::optional<int> fail_preset() const {
    complain(std::string(call_.path)
                 .append(": error: systemctl preset failed on ")
                 .append(unit_)
                 .append(": ")
                 .append(std::strerror(ENOENT))
                 .append("\n"));
    return 1;
  }

  /// Adds the links to the state file, each once.
  [[nodiscard]] bool record(const std::vector<UnitLink> &all) const {
    std::string file = state_file();
    if (!make_directories(directory_of(file))) return false;
    std::string text = exists(file) ? read_file(file).value_or("") : "";
    if (!text.empty() && text.back() != '\n') return false;
    for (const UnitLink &link : all) {
      std::vector<std::string_view> lines = lines_of(text);
      bool is_listed = std::find(lines.begin(), lines.end(), link.path) != lines.end();
      if (!is_listed) text.append(link.path).append("\n");
    }
    return replace_file(file, text);
  }

  /// Makes a link unless it was made before, and notes that by a file.
  [[nodiscard]] bool install(const UnitLink &link, bool creates) const {
    std::string below = link.path.substr(std::string_view("/etc/systemd/").size() + instance_.size());
    std::string noted = state_directory("enabled").append(below);
    if (exists(noted)) return true;
    if (creates && !is_link(link.path)) {
      if (!make_directories(directory_of(link.path))) return false;
      if (::symlink(link.target.c_str(), link.path.c_str()) != 0) return false;
    }
    return make_directories(directory_of(noted)) && touch_file(noted);
  }

  const Call &call_;
  std::string_view instance_;
  bool is_quiet_;
  std::string_view unit_;
};

bool has_usual_surroundings() {
  std::string_view package = variable("DPKG_MAINTSCRIPT_PACKAGE");
  return variable("DPKG_ROOT").empty() && !package.empty() && package != "0" &&
         variable("_DEB_SYSTEMD_HELPER_DEBUG").empty() && variable("_DEB_SYSTEMD_HELPER_PURGE").empty() &&
         is_plain_for_perl() && !is_systemd_running();
}

}  // namespace

std::optional<int> run_systemd_helper(const Call &call) {
  bool is_known = call.dialect == Dialect::first || call.dialect == Dialect::second;
  if (!is_known || !has_usual_surroundings()) return std::nullopt;
  std::string_view instance = "system";
  bool is_quiet = false;
  std::size_t at = 0;
  for (; at < call.arguments.size(); ++at) {
    if (call.arguments[at] == "--quiet") {
      is_quiet = true;
    } else if (call.arguments[at] == "--user") {
      instance = "user";
    } else if (call.arguments[at] == "--system") {
      instance = "system";
    } else {
      break;
    }
  }
  if (call.arguments.size() != at + 2) return std::nullopt;
  std::string_view unit = call.arguments[at + 1];
  bool is_usual = is_plain_name(unit) && unit.front() != '-';
  return is_usual ? SystemdHelper(call, instance, is_quiet, unit).run(call.arguments[at]) : std::nullopt;
}

}  // namespace debroot::stand_ins
