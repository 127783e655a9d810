#include "build/installer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.hpp"

namespace debroot::build {

using dpkgdb::Database;
using dpkgdb::PackageRecord;
using dpkgdb::State;

namespace {

const deb::ControlFile &control_file(const unpack::StagedPackage &staged) { return *staged.control.find("control"); }

/// Writes a control file with the time it has in the package, as dpkg's extraction leaves it.
void write_control_file(const base::RootDirectory &root, const std::string &path, const deb::ControlFile &file) {
  root.write(path, file.content, file.mode);
  timespec times[2] = {{file.mtime, 0}, {file.mtime, 0}};
  ::futimens(root.open_file(path, O_RDONLY).get(), times);
}

/// info/*.md5sums as dpkg writes it for packages that bring none: every file, conffiles too, by all its names.
std::string md5sums_text(const unpack::StagedPackage &staged) {
  std::string out;
  for (const unpack::StagedEntry &item : staged.entries) {
    if (!item.md5.empty()) out += fmt::format("{}  {}\n", item.md5, item.entry.path.substr(1));
  }
  return out;
}

}  // namespace

Installer::Installer(InstallerContext context)
    : context_(std::move(context)),
      database_(context_.root),
      trigger_files_(context_.root),
      files_(dpkgdb::FileTable::read(context_.root)),
      triggers_(database_, trigger_files_),
      scripts_(context_.root, database_, context_.scripts, context_.script_settings),
      configurer_({context_.root,
                   database_,
                   triggers_,
                   scripts_,
                   context_.native_architecture,
                   context_.conffile_choice,
                   {},
                   [this](const PackageRecord &record) { context_.on_package(Phase::configure, record.id()); }}) {}

void Installer::extract_first() {
  dpkgdb::AccountNames accounts = dpkgdb::AccountNames::read(context_.root);
  for (std::uint32_t number : context_.plan.first) {
    unpack::StagedPackage staged = context_.take_staged(number);
    context_.on_package(Phase::unpack, context_.plan.packages[number].id);
    unpack::extract_package(context_.root, staged, accounts, extracted_, unpacked_);
    staged.bodies = {};  // they are in the root now
    if (context_.on_unpacked) context_.on_unpacked(number);
    first_.push_back(std::move(staged));
  }
}

void Installer::install_first() {
  if (context_.plan.first.empty()) return;
  begin_run();
  std::vector<std::uint32_t> numbers = without_installed(context_.plan.first);
  for (std::uint32_t number : numbers) unpack_package(number);
  first_.clear();
  extracted_.clear();
  configurer_.install(keys_of(numbers));
  end_run();
}

bool Installer::is_installed(std::uint32_t number) const {
  const PackageId &id = context_.plan.packages[number].id;
  const PackageRecord *record = database_.find({id.name, id.architecture});
  return record != nullptr && record->state == State::installed && record->version() == id.version;
}

std::vector<std::uint32_t> Installer::without_installed(const std::vector<std::uint32_t> &numbers) const {
  std::vector<std::uint32_t> out;
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(out),
               [this](std::uint32_t number) { return !is_installed(number); });
  return out;
}

void Installer::install_rest() {
  const std::vector<PlannedRun> &runs = context_.plan.runs;
  bool has_work = std::any_of(runs.begin(), runs.end(),
                              [this](const PlannedRun &run) { return !without_installed(run.packages).empty(); });
  if (!has_work) return;
  for (const PlannedRun &run : runs) execute(run);
}

void Installer::execute(const PlannedRun &run) {
  std::vector<std::uint32_t> numbers = without_installed(run.packages);
  if (numbers.empty() && !run.packages.empty()) return;
  begin_run();
  switch (run.kind) {
    case RunKind::unpack:
      for (std::uint32_t number : numbers) unpack_package(number);
      break;
    case RunKind::configure:
      configurer_.configure(keys_of(numbers));
      break;
    case RunKind::configure_pending:
      configurer_.configure_pending();
      break;
  }
  end_run();
}

void Installer::reload() {
  database_.reload();
  trigger_files_.reload();
  files_ = dpkgdb::FileTable::read(context_.root);
}

void Installer::begin_run() {
  for (const char *name : {"info", "triggers", "updates"}) {
    context_.root.make_directories(fmt::format("{}/{}", dpkgdb::kAdminDirectory, name));
  }
  trigger_files_.ensure_files();
  for (const char *name : {"lock", "lock-frontend"}) {
    std::string path = fmt::format("{}/{}", dpkgdb::kAdminDirectory, name);
    if (!context_.root.exists(path)) context_.root.write(path, "", 0640);
  }
  std::string format = fmt::format("{}/info/format", dpkgdb::kAdminDirectory);
  if (!context_.root.exists(format)) context_.root.write(format, "1\n");
  // dpkg reads these once: what a script adds counts from the next run on
  overrides_ = dpkgdb::StatOverrides::read(context_.root, dpkgdb::AccountNames::read(context_.root));
  database_.begin_run();
  triggers_.begin_run();
  triggers_.incorporate();
}

void Installer::end_run() { database_.checkpoint(); }

std::vector<dpkgdb::PackageKey> Installer::keys_of(const std::vector<std::uint32_t> &numbers) const {
  std::vector<dpkgdb::PackageKey> keys;
  for (std::uint32_t number : numbers) {
    const PackageId &id = context_.plan.packages[number].id;
    keys.push_back({id.name, id.architecture});
  }
  return keys;
}

void Installer::unpack_package(std::uint32_t number) {
  std::optional<unpack::StagedPackage> later;
  const unpack::StagedPackage *staged = nullptr;
  if (!first_.empty()) {
    auto at = std::find(context_.plan.first.begin(), context_.plan.first.end(), number);
    staged = &first_[static_cast<std::size_t>(at - context_.plan.first.begin())];
  } else {
    later = context_.take_staged(number);
    staged = &*later;
    context_.on_package(Phase::unpack, context_.plan.packages[number].id);
  }
  PackageRecord &record = database_.add(deb822::Stanza::parse(control_file(*staged).content));
  record.conffiles = unpack::declared_conffiles(staged->control, staged->subject);
  record.want = dpkgdb::Want::install;
  if (const deb::ControlFile *triggers = staged->control.find("triggers")) {
    triggers_.activate_directives(triggers->content, record);
  }
  record.flag = dpkgdb::Flag::reinstreq;
  record.state = State::half_installed;
  const PackageRecord whole = record;
  record = whole.begun();
  database_.note(record);
  run_preinst(record, staged->control);
  unpack::Placed placed = place(number, *staged, whole);
  for (const std::string &path : placed.changed) triggers_.activate(path, &record);
  write_info(*staged, whole, placed.list);
  register_interests(staged->control, record);
  take_over_files(placed.takeovers);
  record.control = whole.control;
  record.conffiles = whole.conffiles;
  record.state = State::unpacked;
  database_.note(record);  // dpkg says so twice: before the package's former files are gone, and after
  record.flag = dpkgdb::Flag::ok;
  database_.note(record);
  if (later && context_.on_unpacked) context_.on_unpacked(number);
}

void Installer::run_preinst(PackageRecord &record, const deb::ControlArchive &control) {
  if (control.find("preinst") == nullptr) return;
  std::string directory(configure::kControlDirectory);
  context_.root.make_directories(directory);
  for (const deb::ControlFile &file : control.files) {
    write_control_file(context_.root, directory + "/" + file.name, file);
  }
  scripts_.run_preinst(record, {"install"});
  context_.root.remove_tree(directory);
  triggers_.incorporate();
}

unpack::Placed Installer::place(std::uint32_t number, const unpack::StagedPackage &staged,
                                const PackageRecord &record) {
  std::optional<unpack::StagedPackage> again;
  auto accounts = dpkgdb::AccountNames::read(context_.root);
  unpack::PlaceContext context{context_.root,
                               database_,
                               files_,
                               dpkgdb::Diversions::read(context_.root),
                               std::move(accounts),
                               overrides_,
                               unpacked_,
                               first_.empty() ? nullptr : &extracted_,
                               [&]() -> const unpack::StagedPackage & {
                                 if (!again) again = context_.take_staged(number);
                                 return *again;
                               }};
  return unpack::place_package(staged, record, context);
}

void Installer::write_info(const unpack::StagedPackage &staged, const PackageRecord &record,
                           const std::vector<std::string> &list) {
  for (const deb::ControlFile &file : staged.control.files) {
    if (file.name == "control") continue;
    std::string path = Database::info_path(record, file.name);
    write_control_file(context_.root, path, file);
    // it has run, for which dpkg had to make it a program
    if (file.name == "preinst" && (file.mode & 0555) != 0555) context_.root.set_mode(path, 0755);
  }
  if (staged.control.find("md5sums") == nullptr) {
    context_.root.write(Database::info_path(record, "md5sums"), md5sums_text(staged));
  }
  context_.root.write(Database::info_path(record, "list"), base::join(list, "\n") + (list.empty() ? "" : "\n"));
}

void Installer::take_over_files(const std::vector<std::string> &losers) {
  for (const std::string &loser : losers) {
    std::string path = fmt::format("{}/info/{}.list", dpkgdb::kAdminDirectory, loser);
    std::string kept;
    std::string text = context_.root.try_read(path).value_or("");
    for (std::string_view line : base::split(text, '\n')) {
      if (line.empty()) continue;
      std::vector<std::string_view> owners = files_.owners(line == "/." ? "/" : std::string(line));
      if (std::find(owners.begin(), owners.end(), loser) != owners.end()) kept += fmt::format("{}\n", line);
    }
    context_.root.replace(path, kept);
  }
}

void Installer::register_interests(const deb::ControlArchive &control, const PackageRecord &record) {
  const deb::ControlFile *file = control.find("triggers");
  if (file == nullptr) return;
  for (const auto &directive : dpkgdb::parse_trigger_directives(file->content, to_string(record.id()))) {
    if (directive.is_interest) {
      trigger_files_.add_interest(directive.trigger, record.info_name(), directive.is_await);
    }
  }
}

}  // namespace debroot::build
