/// In the builder: the packages of one build, from the channel they arrive by to configured. The essential set comes
/// first; what apt installs after it may be chosen anew in between, when hooks have changed what it is chosen by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/beneath.hpp"
#include "base/channel.hpp"
#include "base/known_files.hpp"
#include "base/trace.hpp"
#include "build/archived_debs.hpp"
#include "build/builder.hpp"
#include "build/event_sender.hpp"
#include "build/install_plan.hpp"
#include "build/installer.hpp"
#include "build/native_twins.hpp"
#include "build/package_inbox.hpp"
#include "build/sandboxed_scripts.hpp"
#include "build/stand_in_covers.hpp"
#include "sandbox/runner.hpp"

namespace debroot::build {

/// Directory in an image that is built in place, for packages on their way; gone when all are installed.
inline constexpr std::string_view kInPlaceStage = ".debroot-stage";

/// Whether customize hooks find what apt would have downloaded: mmdebstrap's do. Others must not see whether packages
/// came out of a base state.
[[nodiscard]] bool shows_downloads(const BuildPlan &plan);

/// What it works on; all of it outlives it.
struct InstallationContext {
  const BuilderSetup &setup;
  const InstallPlan &install;
  base::Channel &channel;
  const base::RootDirectory &root;
  const std::string &root_path;
  const base::RootDirectory &staging;
  sandbox::Runner &runner;
  EventSender &events;
  base::Trace &trace;
};

class Installation {
 public:
  explicit Installation(const InstallationContext &context) : context_(context) {}

  /// Readies what scripts run with, for roots in which packages are installed already.
  void open_scripts();
  [[nodiscard]] configure::ScriptHost &scripts() { return *scripts_; }

  /// Begins to take packages from the channel, and extracts the first part before any script can run.
  void extract_first();
  /// `dpkg --install` of the first part.
  void install_first();
  /// To be called before another plan is sent for what comes after the first part.
  /// @return the message with it, if it has come already
  [[nodiscard]] std::optional<base::ChannelMessage> await_rest() { return inbox_->await_other_plan(); }
  /// Takes the packages of `rest` in place of those that the first plan has behind its first part.
  void replace_rest(InstallPlan rest);
  /// apt's part.
  void install_rest();
  /// After hooks: whatever they did to dpkg's database is taken in.
  void reload();
  /// Ends what is still under way. Nothing but `rest` may be asked afterwards.
  void close();

  /// The plan of apt's part.
  [[nodiscard]] const InstallPlan &rest() const noexcept { return rest_ ? *rest_ : context_.install; }
  /// Files of packages as they were unpacked.
  [[nodiscard]] const base::KnownFiles &unpacked_files() const noexcept { return installer_->unpacked_files(); }
  /// Shows hooks the .debs of the first part, or those of apt's.
  [[nodiscard]] ArchivedDebs archive_first();
  [[nodiscard]] ArchivedDebs archive_rest();
  /// Every .deb of the packages that were installed, if the image or hooks want them. Once.
  [[nodiscard]] std::vector<KeptDownload> take_kept();

 private:
  [[nodiscard]] const BuildPlan &plan() const noexcept { return context_.setup.plan; }
  [[nodiscard]] PackageInbox &rest_inbox() { return rest_inbox_ ? *rest_inbox_ : *inbox_; }
  void prepare_twins();
  void prepare_stand_ins();
  [[nodiscard]] base::RootDirectory open_stage(std::string_view name);
  void open_inbox(std::optional<PackageInbox> &inbox, const InstallPlan &install, std::string_view stage);
  void open_installer(const InstallPlan &install, PackageInbox &inbox);
  void on_package(Phase phase, const PackageId &id);
  void on_unpacked(const PackageId &id);

  InstallationContext context_;
  std::optional<NativeTwins> twins_;
  std::optional<StandInCovers> stand_ins_;
  std::optional<PackageInbox> inbox_;
  std::optional<InstallPlan> rest_;
  std::optional<PackageInbox> rest_inbox_;
  std::optional<SandboxedScripts> scripts_;
  std::optional<Installer> installer_;
  PhaseCount unpack_count_;
  PhaseCount configure_count_;
};

}  // namespace debroot::build
