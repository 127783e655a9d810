#include "build/extended_states.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "deb822/stanza.hpp"

namespace debroot::build {
namespace {

constexpr std::string_view kPath = "/var/lib/apt/extended_states";
constexpr std::string_view kMark = "Auto-Installed";
/// A stanza of these alone (Package, Architecture, Auto-Installed) says nothing once the mark is gone.
constexpr std::size_t kFieldsOfAMark = 3;

using Name = std::pair<std::string, std::string>;  // with the architecture

deb822::Stanza marked_stanza(const Name &name) {
  deb822::Stanza stanza;
  stanza.set("Package", name.first);
  stanza.set("Architecture", name.second);
  stanza.set(kMark, "1");
  return stanza;
}

/// What `marked` says of packages that are not installed yet is new; of the others only that they were asked for.
std::map<Name, bool> new_marks(std::span<const MarkedPackage> marked, const IsInstalled &is_installed) {
  std::map<Name, bool> marks;
  for (const MarkedPackage &package : marked) {
    bool is_told = !package.is_automatic || !is_installed(package.name, package.architecture);
    if (is_told) marks[{package.name, package.architecture}] = package.is_automatic;
  }
  return marks;
}

std::vector<MarkedPackage> marked_packages(const InstallPlan &plan, const std::string &native_architecture) {
  std::vector<MarkedPackage> marked;
  auto add_package = [&](const PackageId &id, bool is_automatic) {
    marked.push_back({id.name, id.architecture == "all" ? native_architecture : id.architecture, is_automatic});
  };
  auto add = [&](std::uint32_t number, bool is_automatic) { add_package(plan.packages[number].id, is_automatic); };
  std::set<std::uint32_t> automatic(plan.automatic.begin(), plan.automatic.end());
  for (std::uint32_t number : plan.automatic) add(number, true);
  for (const PlannedRun &run : plan.runs) {
    for (std::uint32_t number : run.packages) {
      if (run.kind == RunKind::unpack && !automatic.contains(number)) add(number, false);
    }
  }
  for (const PackageId &id : plan.asked_again) add_package(id, false);
  return marked;
}

}  // namespace

std::string merged_extended_states(std::string_view before, std::span<const MarkedPackage> marked,
                                   const IsInstalled &is_installed) {
  std::map<Name, bool> marks = new_marks(marked, is_installed);
  std::set<Name> seen;
  std::string out;
  auto write = [&](const deb822::Stanza &stanza) { (out += stanza.str()) += "\n"; };
  deb822::StanzaReader reader(before);
  while (std::optional<deb822::StanzaView> view = reader.next()) {
    deb822::Stanza stanza = deb822::Stanza::parse(view->text());
    Name name{stanza.get("Package"), stanza.get("Architecture")};
    auto mark = marks.find(name);
    if (mark == marks.end() && !is_installed(name.first, name.second)) continue;
    seen.insert(name);
    bool is_automatic = mark == marks.end() ? stanza.get(kMark) == "1" : mark->second;
    if (!is_automatic && stanza.fields().size() <= kFieldsOfAMark) continue;
    stanza.set(kMark, is_automatic ? "1" : "0");
    write(stanza);
  }
  for (const MarkedPackage &package : marked) {
    Name name{package.name, package.architecture};
    auto mark = marks.find(name);
    bool is_new = mark != marks.end() && mark->second && seen.insert(name).second;
    if (is_new) write(marked_stanza(name));
  }
  return out;
}

void write_extended_states(const base::RootDirectory &root, const dpkgdb::Database &database, const InstallPlan &plan,
                           const std::string &native_architecture) {
  // where apt has nothing to do, it may still take marks away
  bool is_read = root.exists(kPath) && !plan.asked_again.empty();
  if (plan.runs.empty() && !is_read) return;
  auto is_installed = [&](std::string_view name, std::string_view architecture) {
    std::vector<const dpkgdb::PackageRecord *> records = database.named(name);
    return std::any_of(records.begin(), records.end(), [&](const dpkgdb::PackageRecord *record) {
      bool is_of_it = record->architecture() == architecture ||
                      (record->architecture() == "all" && architecture == native_architecture);
      return is_of_it && record->state == dpkgdb::State::installed;
    });
  };
  std::vector<MarkedPackage> marked = marked_packages(plan, native_architecture);
  root.write(kPath, merged_extended_states(root.try_read(kPath).value_or(""), marked, is_installed));
}

}  // namespace debroot::build
