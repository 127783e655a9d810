#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "stand_ins/program/accounts.hpp"
#include "stand_ins/program/files.hpp"
#include "stand_ins/program/spawn.hpp"
#include "stand_ins/program/tools.hpp"

namespace debroot::stand_ins {
namespace {

/// The PATH that adduser searches and hands on.
constexpr std::array<std::string_view, 4> kPath = {"/bin", "/usr/bin", "/sbin", "/usr/sbin"};
constexpr const char *kPathVariable = "/bin:/usr/bin:/sbin:/usr/sbin";

/// Variables of adduser.conf without effect on system accounts that get no home.
constexpr std::array<std::string_view, 14> kOfNoEffect = {
    "DSHELL",    "DHOME",    "GROUPHOMES", "LETTERHOMES", "SKEL",     "FIRST_UID",   "LAST_UID",
    "FIRST_GID", "LAST_GID", "USERGROUPS", "USERS_GID",   "DIR_MODE", "SETGID_HOME", "QUOTAUSER"};

struct Range {
  unsigned long first = 100;
  unsigned long last = 999;
};

struct Settings {
  Range users;
  Range groups;
};

/// What was asked for.
struct Request {
  std::string_view name;
  bool is_quiet = false;
  bool may_have_bad_name = false;
  bool makes_group = false;
  bool has_no_login = false;
  bool has_no_home = false;
  std::optional<std::string_view> home;
  std::optional<std::string_view> gecos;
};

std::string which(std::string_view program) {
  for (std::string_view directory : kPath) {
    std::string path = std::string(directory).append("/").append(program);
    if (is_executable(path)) return path;
  }
  return {};
}

std::string_view unquoted(std::string_view value) noexcept {
  bool is_quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

/// False for a variable that matters otherwise, or is none.
bool set(Settings &settings, std::string_view name, std::string_view value) {
  if (std::find(kOfNoEffect.begin(), kOfNoEffect.end(), name) != kOfNoEffect.end()) return true;
  if (name == "SKEL_IGNORE_REGEX") return true;
  std::optional<unsigned long> number = read_number(unquoted(value));
  if (!number) return false;
  if (name == "FIRST_SYSTEM_UID") {
    settings.users.first = *number;
  } else if (name == "LAST_SYSTEM_UID") {
    settings.users.last = *number;
  } else if (name == "FIRST_SYSTEM_GID") {
    settings.groups.first = *number;
  } else if (name == "LAST_SYSTEM_GID") {
    settings.groups.last = *number;
  } else {
    return false;
  }
  return true;
}

std::optional<Settings> read_settings() {
  std::optional<std::string> text = read_file("/etc/adduser.conf");
  if (!text) return std::nullopt;
  Settings out;
  for (std::string_view line : lines_of(*text)) {
    if (line.empty() || line.front() == '#') continue;
    std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!set(out, line.substr(0, equals), line.substr(equals + 1))) return std::nullopt;
  }
  return out;
}

bool is_fitting_name(std::string_view name, bool may_be_bad) noexcept {
  auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  auto is_usual = [&](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_usual)) return false;
  return is_lower(name[0]) || (may_be_bad && name[0] == '_');
}

/// Takes the value of an option that has one, as "--home DIR" or "--home=DIR"; false when the argument is another one.
bool take_value(const std::vector<std::string_view> &arguments, std::size_t &at, std::string_view option,
                std::optional<std::string_view> &out) {
  std::string_view argument = arguments[at];
  if (argument == option && at + 1 < arguments.size()) {
    out = arguments[++at];
    return out->substr(0, 1) != "-";
  }
  bool is_joined =
      argument.size() > option.size() && argument.substr(0, option.size()) == option && argument[option.size()] == '=';
  if (is_joined) out = argument.substr(option.size() + 1);
  return is_joined;
}

/// Nothing unless it asks for a system account and nothing unusual.
std::optional<Request> read_request(const std::vector<std::string_view> &arguments) {
  Request out;
  bool is_system = false;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string_view argument = arguments[at];
    if (argument == "--system") {
      is_system = true;
    } else if (argument == "--quiet") {
      out.is_quiet = true;
    } else if (argument == "--force-badname") {
      out.may_have_bad_name = true;
    } else if (argument == "--group") {
      out.makes_group = true;
    } else if (argument == "--disabled-login") {
      out.has_no_login = true;
    } else if (argument == "--no-create-home") {
      out.has_no_home = true;
    } else if (argument == "--disabled-password" || take_value(arguments, at, "--home", out.home) ||
               take_value(arguments, at, "--gecos", out.gecos)) {
      continue;
    } else if (out.name.empty() && is_fitting_name(argument, true)) {
      out.name = argument;
    } else {
      return std::nullopt;
    }
  }
  // the tool has a word to say about a name that is only allowed, unless it is to be quiet
  bool may_be_bad = out.may_have_bad_name && out.is_quiet;
  if (!is_system || !is_fitting_name(out.name, may_be_bad)) return std::nullopt;
  return out;
}

std::optional<unsigned long> first_free(const std::vector<Account> &accounts, const Range &range) {
  for (unsigned long id = range.first; id <= range.last; ++id) {
    if (find_account(accounts, id) == nullptr) return id;
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string> &words) {
  std::string out;
  for (const std::string &word : words) out.append(out.empty() ? "" : " ").append(word);
  return out;
}

std::string ending_of(const std::vector<std::string> &command, int status) {
  bool is_exit = (status >> 8) != 0;
  return std::string("`")
      .append(joined(command))
      .append(is_exit ? "' returned error code " : "' exited from signal ")
      .append(std::to_string(is_exit ? status >> 8 : status & 255))
      .append(". Exiting.\n");
}

/// One run of the commands that adduser and addgroup leave the work to.
class Commands {
 public:
  explicit Commands(std::string_view tool) : tool_(tool) {}

  /// False when it failed, which was said then.
  [[nodiscard]] bool run(const std::vector<std::string> &command) const {
    // what cannot be started is -1 to perl, whose high byte is 255 of a longer number
    int status = run_program(command).value_or(255 << 8);
    if (status == 0) return true;
    complain(std::string(tool_).append(": ").append(ending_of(command, status)));
    return false;
  }

 private:
  std::string_view tool_;
};

void set_environment(bool is_quiet) {
  ::setenv("PATH", kPathVariable, 1);
  ::setenv("IFS", " \t\n", 1);
  ::setenv("VERBOSE", is_quiet ? "0" : "1", 1);
  ::setenv("DEBUG", is_quiet ? "0" : "1", 1);
}

bool have_all(const std::vector<std::string_view> &programs) {
  return std::none_of(programs.begin(), programs.end(), [](std::string_view each) { return which(each).empty(); });
}

std::optional<int> add_group(const Request &request, const Accounts &accounts, const Settings &settings) {
  bool is_usual = !request.makes_group && !request.has_no_login && !request.has_no_home && !request.home &&
                  !request.gecos && have_all({"groupadd"});
  std::optional<unsigned long> id = first_free(accounts.groups, settings.groups);
  if (!is_usual || !id || find_account(accounts.groups, request.name) != nullptr) return std::nullopt;
  std::string name(request.name);
  set_environment(request.is_quiet);
  if (!request.is_quiet) print("Adding group `" + name + "' (GID " + std::to_string(*id) + ") ...\n");
  if (!Commands("addgroup").run({which("groupadd"), "-g", std::to_string(*id), name})) return 1;
  if (!request.is_quiet) print("Done.\n");
  return 0;
}

/// Takes back what was made, in adduser's words.
int clean_up(const Commands &commands, const std::string &cause, const std::string &name, bool has_group) {
  print("Stopped: " + cause + "\n");
  print("Removing user `" + name + "' ...\n");
  if (!commands.run({"userdel", name}) || !has_group) return 1;
  print("Removing group `" + name + "' ...\n");
  static_cast<void>(commands.run({"groupdel", name}));
  return 1;
}

int make_user(const Request &request, const std::string &group, unsigned long user_id, unsigned long group_id) {
  constexpr int kNoShadow = 15;
  Commands commands("adduser");
  std::string name(request.name);
  set_environment(request.is_quiet);
  bool is_made = !request.makes_group || commands.run({which("groupadd"), "-g", std::to_string(group_id), name});
  is_made = is_made && commands.run({which("useradd"), "-d", std::string(*request.home), "-g", group, "-s",
                                     "/usr/sbin/nologin", "-u", std::to_string(user_id), name});
  is_made = is_made && (request.has_no_login || commands.run({which("usermod"), "-p", "*", name}));
  if (!is_made) return 1;
  std::vector<std::string> aging = {which("chage"), "-M", "99999", name};
  int status = run_program(aging).value_or(255 << 8);
  if (status == kNoShadow << 8) {
    complain(aging[0] + " failed with return code 15, shadow not enabled, password aging cannot be set. Continuing.\n");
  } else if (status != 0) {
    return clean_up(commands, ending_of(aging, status), name, request.makes_group);
  }
  if (request.gecos && !commands.run({which("chfn"), "-f", std::string(*request.gecos), name})) return 1;
  return 0;
}

std::optional<int> add_user(const Request &request, const Accounts &accounts, const Settings &settings) {
  bool is_usual = request.is_quiet && request.has_no_home && request.home && !request.home->empty() &&
                  request.home->front() == '/' && have_all({"groupadd", "useradd", "usermod", "chage", "chfn"}) &&
                  (!request.gecos || request.gecos->find(',') == std::string_view::npos);
  if (!is_usual || find_account(accounts.users, request.name) != nullptr) return std::nullopt;
  std::optional<unsigned long> user_id = first_free(accounts.users, settings.users);
  if (!user_id) return std::nullopt;
  if (request.makes_group) {
    std::optional<unsigned long> group_id = first_free(accounts.groups, settings.groups);
    if (!group_id || find_account(accounts.groups, request.name) != nullptr) return std::nullopt;
    return make_user(request, std::string(request.name), *user_id, *group_id);
  }
  const Account *none = find_account(accounts.groups, "nogroup");
  if (none == nullptr || none->id == 0) return std::nullopt;
  return make_user(request, find_account(accounts.groups, none->id)->name, *user_id, none->id);
}

/// NIS and nscd would have to be told.
bool has_usual_surroundings() {
  return ::geteuid() == 0 && is_plain_for_perl() && !is_there("/var/yp/Makefile") && which("nscd").empty();
}

}  // namespace

std::optional<int> run_adduser(const Call &call) {
  std::optional<Request> request = read_request(call.arguments);
  if (!request || !has_usual_surroundings()) return std::nullopt;
  std::optional<Settings> settings = read_settings();
  std::optional<Accounts> accounts = settings ? read_accounts() : std::nullopt;
  if (!accounts) return std::nullopt;
  bool is_group = std::string_view(call.path).substr(call.path.rfind('/') + 1) == "addgroup";
  return is_group ? add_group(*request, *accounts, *settings) : add_user(*request, *accounts, *settings);
}

}  // namespace debroot::stand_ins
