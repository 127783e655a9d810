#include "resolve/request.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "debroot/error.hpp"
#include "resolve/diagnosis.hpp"
#include "resolve/expression.hpp"
#include "resolve/pattern.hpp"

namespace debroot::resolve {
namespace {

constexpr std::string_view kGlobCharacters = ".?*[]!";
constexpr std::string_view kRegexCharacters = ".?+*|[^$";

/// An item taken apart.
struct Item {
  std::string name;         ///< name, glob, regex or pattern
  std::string version;      ///< behind '='
  std::string release;      ///< behind '/'
  bool is_refusal = false;  ///< ends in '-'
};

class ItemReader {
 public:
  ItemReader(Marking &marking, const Policy &policy, const std::function<const MentionOrder &()> &mentions)
      : marking_(marking), catalog_(marking.catalog()), policy_(policy), mentions_(mentions) {}

  void read(const std::string &text, Wishes &wishes) {
    Item item = take_apart(text);
    if (is_virtual(item.name)) return choose_virtual(item, text, wishes);
    bool is_from_pattern = is_pattern(item.name);
    std::vector<SlotId> slots = select(item, text);
    for (SlotId slot : slots) {
      if (item.is_refusal) {
        wishes.refusals.push_back(slot);
        continue;
      }
      bool is_one_of_many = slots.size() > 1 || is_from_pattern;
      PackageRef version = choose(item, slot, text, is_one_of_many);
      if (version == kNone) continue;
      auto is_same = [&](const Wish &wish) { return wish.version == version; };
      if (std::any_of(wishes.installs.begin(), wishes.installs.end(), is_same)) continue;
      wishes.installs.push_back({version, is_from_pattern, item.release});
    }
  }

 private:
  static Item split_version(std::string text) {
    Item item;
    std::size_t mark = is_pattern(text) ? std::string::npos : text.find_last_of("/=");
    if (mark != std::string::npos) {
      (text[mark] == '/' ? item.release : item.version) = text.substr(mark + 1);
      text.erase(mark);
    }
    item.name = std::move(text);
    return item;
  }

  /// A sign at the end counts only when the whole is not itself a package's name ("g++").
  Item take_apart(const std::string &text) {
    if (text.size() < 2 || is_pattern(text) || (text.back() != '-' && text.back() != '+')) return split_version(text);
    Item whole = split_version(text);
    if (!named(whole.name).empty()) return whole;
    Item item = split_version(text.substr(0, text.size() - 1));
    item.is_refusal = text.back() == '-';
    return item;
  }

  static std::pair<std::string, std::string> split_architecture(const std::string &text) {
    std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) return {text, ""};
    return {text.substr(0, colon), text.substr(colon + 1)};
  }

  /// The slots of "name" or "name:arch": without an architecture the preferred one.
  std::vector<SlotId> named(const std::string &text) {
    auto [name, architecture] = split_architecture(text);
    const std::vector<SlotId> &group = catalog_.group(name);
    if (architecture.empty() || architecture == "any") {
      return group.empty() ? std::vector<SlotId>() : std::vector<SlotId>{group.front()};
    }
    std::optional<std::size_t> number = catalog_.architecture_number(architecture);
    std::optional<SlotId> slot = number ? catalog_.find(name, *number) : std::nullopt;
    return slot ? std::vector<SlotId>{*slot} : std::vector<SlotId>();
  }

  /// What a name without a real package stands for.
  std::vector<PackageRef> stand_ins(const std::string &text) {
    auto [name, architecture] = split_architecture(text);
    std::optional<std::size_t> number = architecture.empty() ? 0 : catalog_.architecture_number(architecture);
    return number ? catalog_.stand_ins(name, *number) : std::vector<PackageRef>();
  }

  bool is_virtual(const std::string &name) {
    return !is_pattern(name) && named(name).empty() && !stand_ins(name).empty();
  }

  /// Empty for names that nothing which could be chosen stands behind.
  std::vector<SlotId> select(const Item &item, const std::string &text) {
    if (is_pattern(item.name)) return select_by_pattern(item.name);
    if (std::vector<SlotId> slots = named(item.name); !slots.empty()) return slots;
    std::optional<std::vector<SlotId>> slots = select_by_glob(item.name);
    if (!slots && item.name.find_first_of(kRegexCharacters) != std::string::npos) {
      Regex regex(item.name);
      slots = matching([&](std::string_view name) { return regex.matches(name); });
    }
    if (!slots) refuse_unknown(item, text);
    return *slots;
  }

  /// '?' begins a pattern's term, but is a sign of globs as well: apt takes for a glob what is no pattern.
  std::vector<SlotId> select_by_pattern(const std::string &text) {
    try {
      return Pattern::parse(text).select(marking_, mentions_());
    } catch (const Error &) {
      if (std::optional<std::vector<SlotId>> slots = select_by_glob(text)) return *slots;
      throw;
    }
  }

  std::optional<std::vector<SlotId>> select_by_glob(const std::string &text) {
    if (text.find_first_of(kGlobCharacters) == std::string::npos) return std::nullopt;
    return matching([&](std::string_view name) { return base::glob_match(text, std::string(name)); });
  }

  /// What the names that fit stand for; a virtual package counts if it has just one provider. Nothing if none fits.
  template <typename Fits>
  std::optional<std::vector<SlotId>> matching(Fits fits) {
    std::vector<SlotId> slots;
    bool has_match = false;
    for (std::string_view name : catalog_.index().names()) {
      const std::vector<SlotId> *group = fits(name) ? &catalog_.group(name) : nullptr;
      if (group != nullptr && !group->empty()) slots.push_back(group->front());
    }
    has_match = !slots.empty();
    for (std::string_view name : catalog_.index().provided_names()) {
      if (!fits(name) || !catalog_.group(name).empty()) continue;
      has_match = true;
      std::vector<SlotId> providers = providers_in_any_architecture(name);
      if (providers.size() == 1) slots.push_back(providers.front());
    }
    if (!has_match) return std::nullopt;
    const MentionOrder &mentions = mentions_();
    std::sort(slots.begin(), slots.end(), [&](SlotId a, SlotId b) {
      const Slot &x = catalog_.slot(a);
      const Slot &y = catalog_.slot(b);
      return mentions.of(x.name, x.architecture) < mentions.of(y.name, y.architecture);
    });
    return slots;
  }

  /// As apt takes a group's package: of the native architecture if there is one, else of the next in the list.
  std::vector<SlotId> providers_in_any_architecture(std::string_view name) {
    for (std::size_t architecture = 0; architecture <= policy_.foreign_architectures.size(); ++architecture) {
      std::vector<PackageRef> versions = catalog_.stand_ins(name, architecture);
      if (!versions.empty()) return providers(versions);
    }
    return {};
  }

  /// One slot of each name among the candidates in `versions`.
  std::vector<SlotId> providers(const std::vector<PackageRef> &versions) {
    std::vector<SlotId> slots;
    for (PackageRef version : versions) {
      SlotId slot = catalog_.slot_of(version);
      if (slot == kNone || marking_.at(slot).candidate != version) continue;
      auto is_same = [&](SlotId other) { return catalog_.slot(other).name == catalog_.slot(slot).name; };
      if (std::none_of(slots.begin(), slots.end(), is_same)) slots.push_back(slot);
    }
    return slots;
  }

  [[noreturn]] void refuse_unknown(const Item &item, const std::string &text) {
    bool has_sign = item.name.find_first_of(kRegexCharacters) != std::string::npos;
    Error error(ErrorKind::usage, has_sign ? fmt::format("no package matches '{}'", item.name)
                                           : fmt::format("cannot find package '{}'", item.name));
    if (text != item.name) error.detail("needed by", fmt::format("request '{}'", text));
    std::vector<std::string> near = has_sign ? std::vector<std::string>() : near_names(catalog_.index(), item.name);
    if (!near.empty()) error.hint(fmt::format("did you mean '{}'?", base::join(near, "' or '")));
    throw error;
  }

  bool is_excluded(SlotId slot) const {
    const std::vector<std::string> &names = policy_.excludes;
    return std::find(names.begin(), names.end(), catalog_.slot(slot).name) != names.end();
  }

  /// As with virtual packages, the only provider of a package that may not be installed itself stands for it.
  PackageRef choose(const Item &item, SlotId slot, const std::string &text, bool is_one_of_many) {
    const Slot &data = catalog_.slot(slot);
    if (is_excluded(slot)) {
      if (is_one_of_many) return kNone;
      throw Error(ErrorKind::usage, fmt::format("package '{}' is both requested and excluded", data.name));
    }
    PackageRef version = find_version(item, slot);
    if (version != kNone || is_one_of_many) return version;
    if (!item.release.empty()) {
      throw Error(ErrorKind::usage, fmt::format("release '{}' has no package '{}'", item.release, data.name));
    }
    if (item.version.empty()) {
      std::vector<SlotId> slots = providers(stand_ins(item.name));
      if (slots.size() == 1) return marking_.at(slots.front()).candidate;
      throw Error(ErrorKind::usage,
                  fmt::format("no version of package '{}' may be installed: all are pinned away", text));
    }
    Error error(ErrorKind::usage, fmt::format("package '{}' has no version '{}'", data.name, item.version));
    for (PackageRef each : data.versions) error.detail("expected", to_string(catalog_.index().at(each).id()));
    throw error;
  }

  PackageRef find_version(const Item &item, SlotId slot) {
    const Slot &data = catalog_.slot(slot);
    const Mark &mark = marking_.at(slot);
    if (item.version.empty() && item.release.empty()) return mark.candidate;
    const std::string &word = item.version.empty() ? item.release : item.version;
    if (word == "installed") return mark.current;
    if (word == "candidate") return mark.candidate;
    if (word == "newest") return data.versions.front();
    for (PackageRef version : data.versions) {
      const debian::BinaryPackage &package = catalog_.index().at(version);
      if (!item.version.empty()) {
        if (expression_matches(item.version, package.version)) return version;
        continue;
      }
      ReleaseMatch release(item.release);
      auto fits = [&](std::uint32_t source) { return release.matches(catalog_.index().sources()[source]); };
      if (std::any_of(package.sources.begin(), package.sources.end(), fits)) return version;
    }
    return kNone;
  }

  /// A virtual package stands for its provider if there is just one.
  void choose_virtual(const Item &item, const std::string &text, Wishes &wishes) {
    std::vector<SlotId> slots = providers(stand_ins(item.name));
    if (slots.size() == 1) {
      if (item.is_refusal) {
        wishes.refusals.push_back(slots.front());
      } else {
        wishes.installs.push_back({marking_.at(slots.front()).candidate, false, {}});
      }
      return;
    }
    Error error(ErrorKind::usage,
                slots.empty()
                    ? fmt::format("package '{}' is virtual: nothing that provides it may be installed", item.name)
                    : fmt::format("package '{}' is virtual: several packages provide it", item.name));
    if (text != item.name) error.detail("needed by", fmt::format("request '{}'", text));
    for (SlotId slot : slots) {
      error.detail("expected", to_string(catalog_.index().at(marking_.at(slot).candidate).id()));
    }
    if (!slots.empty()) error.hint("request one of them by its own name");
    throw error;
  }

  Marking &marking_;
  Catalog &catalog_;
  const Policy &policy_;
  const std::function<const MentionOrder &()> &mentions_;
};

}  // namespace

Wishes read_items(const std::vector<std::string> &items, Marking &marking, const Policy &policy,
                  const std::function<const MentionOrder &()> &mentions) {
  Wishes wishes;
  ItemReader reader(marking, policy, mentions);
  for (const std::string &item : items) {
    if (!base::trim(item).empty()) reader.read(item, wishes);
  }
  return wishes;
}

}  // namespace debroot::resolve
