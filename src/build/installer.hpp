/// dpkg's part of the build: packages from .deb to installed, in the order that was planned.
///
/// This is where unpack/ and configure/ meet: unpacking runs preinst, configuring runs postinst and triggers, and the
/// database on disk is true whenever a script runs. Runs end with a checkpoint, as dpkg invocations do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "base/known_files.hpp"
#include "build/install_plan.hpp"
#include "configure/configurer.hpp"
#include "configure/maintainer_scripts.hpp"
#include "configure/trigger_engine.hpp"
#include "dpkgdb/database.hpp"
#include "dpkgdb/file_table.hpp"
#include "dpkgdb/path_rules.hpp"
#include "dpkgdb/triggers.hpp"
#include "unpack/placer.hpp"
#include "unpack/stage.hpp"

namespace debroot::build {

/// What the installer works on; all references outlive it.
struct InstallerContext {
  const base::RootDirectory &root;
  const InstallPlan &plan;
  configure::ScriptHost &scripts;
  configure::ScriptSettings script_settings;
  std::string native_architecture;
  configure::ConffileChoice conffile_choice = configure::ConffileChoice::refuse;
  /// The package unpacked beside the root; waits for it where it must.
  std::function<unpack::StagedPackage(std::uint32_t)> take_staged;
  /// Called as each package begins to be unpacked or configured.
  std::function<void(Phase, const PackageId &)> on_package;
  /// Called when the files of a package are in the root; may be empty.
  std::function<void(std::uint32_t)> on_unpacked = {};
};

class Installer {
 public:
  explicit Installer(InstallerContext context);

  /// Extracts every package of plan.first into the root, before any script can run.
  void extract_first();
  /// `dpkg --install` of plan.first: all unpacked in order, all configured, triggers run.
  void install_first();
  /// apt's later dpkg invocations, plan.runs; none when a hook has installed all of it.
  void install_rest();
  /// One of them.
  void execute(const PlannedRun &run);
  /// After hooks: whatever they did to the database is taken in.
  void reload();

  [[nodiscard]] const dpkgdb::Database &database() const noexcept { return database_; }
  /// Files of packages as they were unpacked.
  [[nodiscard]] const base::KnownFiles &unpacked_files() const noexcept { return unpacked_; }

 private:
  void begin_run();
  void end_run();
  void unpack_package(std::uint32_t number);
  void run_preinst(dpkgdb::PackageRecord &record, const deb::ControlArchive &control);
  unpack::Placed place(std::uint32_t number, const unpack::StagedPackage &staged, const dpkgdb::PackageRecord &record);
  void write_info(const unpack::StagedPackage &staged, const dpkgdb::PackageRecord &record,
                  const std::vector<std::string> &list);
  void take_over_files(const std::vector<std::string> &losers);
  void register_interests(const deb::ControlArchive &control, const dpkgdb::PackageRecord &record);
  /// Whether a hook has installed the package before its turn: dpkg would do it again, to the same end.
  [[nodiscard]] bool is_installed(std::uint32_t number) const;
  [[nodiscard]] std::vector<std::uint32_t> without_installed(const std::vector<std::uint32_t> &numbers) const;
  [[nodiscard]] std::vector<dpkgdb::PackageKey> keys_of(const std::vector<std::uint32_t> &numbers) const;

  InstallerContext context_;
  dpkgdb::Database database_;
  dpkgdb::Triggers trigger_files_;
  dpkgdb::FileTable files_;
  dpkgdb::StatOverrides overrides_;  ///< as they were when the run began
  configure::TriggerEngine triggers_;
  configure::MaintainerScripts scripts_;
  configure::Configurer configurer_;
  unpack::ExtractedFiles extracted_;
  base::KnownFiles unpacked_;
  std::vector<unpack::StagedPackage> first_;  ///< of plan.first: control files and entries, bodies already in the root
};

}  // namespace debroot::build
