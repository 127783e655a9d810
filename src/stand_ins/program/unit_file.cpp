#include "stand_ins/program/unit_file.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <memory>

#include "stand_ins/program/call.hpp"
#include "stand_ins/program/files.hpp"

namespace debroot::stand_ins {
namespace {

/// Deeper than any chain of Also= that ends.
constexpr int kDeepest = 16;

/// A line that matters to the helper, which looks at neither sections nor continued lines.
enum class Key { wanted_by, required_by, also, alias, default_instance };
struct KeyName {
  std::string_view name;
  Key key;
};
constexpr std::array kKeys = {KeyName{"WantedBy", Key::wanted_by}, KeyName{"RequiredBy", Key::required_by},
                              KeyName{"Also", Key::also}, KeyName{"Alias", Key::alias},
                              KeyName{"DefaultInstance", Key::default_instance}};

struct Setting {
  Key key;
  std::string_view value;  ///< not empty, without whitespace around it
};

enum class Reading { other, setting, unusual };

/// Unusual is what the helper takes for one of its keys but a reader of its source has to think about.
Reading read_line(std::string_view line, Setting &out) {
  while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
  std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals + 1 == line.size()) return Reading::other;
  std::string_view name = line.substr(0, equals);
  std::string_view value = line.substr(equals + 1);
  for (const KeyName &each : kKeys) {
    bool is_like = name.size() == each.name.size() && ::strncasecmp(name.data(), each.name.data(), name.size()) == 0;
    if (!is_like) continue;
    std::vector<std::string_view> words = words_of(value);
    bool is_usual = name == each.name && !words.empty() && !is_space(value.front()) && !is_space(value.back()) &&
                    std::all_of(words.begin(), words.end(), is_plain_name);
    bool is_single = each.key == Key::alias || each.key == Key::default_instance;
    if (!is_usual || (is_single && words.size() != 1)) return Reading::unusual;
    out = {each.key, value};
    return Reading::setting;
  }
  return Reading::other;
}

std::string find_unit(std::string_view name, std::string_view instance) {
  for (std::string_view directory : {"/etc/systemd/", "/lib/systemd/", "/usr/lib/systemd/"}) {
    std::string path = std::string(directory).append(instance).append("/").append(name);
    if (is_file(path)) return path;
  }
  return {};
}

/// "getty@.service" with the instance "tty1" is "getty@tty1.service"; a unit that is no template stays itself.
std::string with_instance(std::string_view unit, std::string_view instance) {
  std::size_t at = unit.rfind("@.");
  bool is_template = at != std::string_view::npos && at + 2 < unit.size() &&
                     std::all_of(unit.begin() + static_cast<std::ptrdiff_t>(at) + 2, unit.end(), [](char c) {
                       return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                     });
  if (!is_template) return std::string(unit);
  return std::string(unit.substr(0, at + 1)).append(instance).append(unit.substr(at + 1));
}

/// Reads one unit and, through Also=, others.
class LinkReader {
 public:
  explicit LinkReader(const UnitScope &scope) : scope_(scope) {}

  /// False when the helper must be asked. `visited` is what its callers have met.
  bool read(std::string_view name, std::vector<std::string_view> visited, int depth, std::vector<UnitLink> &out) {
    std::string path = find_unit(name, scope_.instance);
    if (depth > kDeepest || path.empty()) return false;
    std::optional<std::string> read = read_file(path);
    if (!read) return false;
    // names in `visited` must outlive the whole reading
    texts_.push_back(std::make_unique<std::string>(std::move(*read)));
    std::string wanted(name);
    std::vector<std::string> directories;
    for (std::string_view line : lines_of(*texts_.back())) {
      Setting setting{};
      Reading reading = read_line(line, setting);
      if (reading == Reading::unusual) return false;
      if (reading == Reading::other) continue;
      switch (setting.key) {
        case Key::wanted_by:
        case Key::required_by:
          for (std::string_view value : words_of(setting.value)) {
            directories.push_back(below_etc(value) + (setting.key == Key::wanted_by ? ".wants/" : ".requires/"));
          }
          if (scope_.dialect == Dialect::first) add_wanted(directories, wanted, path, out);
          break;
        case Key::also:
          for (std::string_view value : words_of(setting.value)) {
            bool is_met = value == name || (scope_.dialect == Dialect::second &&
                                            std::find(visited.begin(), visited.end(), value) != visited.end());
            if (is_met) continue;
            visited.push_back(value);
            if (!this->read(value, visited, depth + 1, out)) return false;
          }
          break;
        case Key::alias:
          if (setting.value != name) out.push_back({below_etc(setting.value), path});
          break;
        case Key::default_instance:
          if (scope_.dialect == Dialect::second) wanted = with_instance(name, setting.value);
          break;
      }
    }
    add_wanted(directories, wanted, path, out);
    return true;
  }

 private:
  [[nodiscard]] std::string below_etc(std::string_view name) const {
    return std::string("/etc/systemd/").append(scope_.instance).append("/").append(name);
  }

  static void add_wanted(std::vector<std::string> &directories, const std::string &name, const std::string &path,
                         std::vector<UnitLink> &out) {
    for (const std::string &directory : directories) out.push_back({directory + name, path});
    directories.clear();
  }

  UnitScope scope_;
  std::vector<std::unique_ptr<std::string>> texts_;
};

}  // namespace

std::optional<std::vector<UnitLink>> links_of(std::string_view name, const UnitScope &scope) {
  std::vector<UnitLink> out;
  if (!LinkReader(scope).read(name, {}, 0, out)) return std::nullopt;
  return out;
}

}  // namespace debroot::stand_ins
