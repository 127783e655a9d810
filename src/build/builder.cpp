#include "build/builder.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "base/compression.hpp"
#include "base/text.hpp"
#include "base/trace.hpp"
#include "base/wire.hpp"
#include "build/archive_indexes.hpp"
#include "build/archived_debs.hpp"
#include "build/environment.hpp"
#include "build/event_sender.hpp"
#include "build/hook_context.hpp"
#include "build/hook_stages.hpp"
#include "build/installation.hpp"
#include "build/root_skeleton.hpp"
#include "build/root_state.hpp"
#include "build/selection.hpp"
#include "build/state_keeping.hpp"
#include "customize/cleanup.hpp"
#include "customize/machine.hpp"
#include "customize/shims.hpp"
#include "pack/devices.hpp"
#include "pack/directory.hpp"
#include "pack/pack.hpp"
#include "sandbox/runner.hpp"
#include "sandbox/staging.hpp"
#include "twins/location.hpp"

namespace debroot::build {
namespace {

/// Room that packages need on top of their Installed-Size: the .deb's own rounding, databases, work done ahead.
/// Before setup hooks have run, what will be installed is not known: then as much as a large system takes.
sandbox::StagingNeed staging_need(const InstallPlan &plan, bool is_unknown) {
  constexpr std::uint64_t kBaseBytes = std::uint64_t{64} << 20;
  constexpr std::uint64_t kBaseInodes = 20000;
  constexpr std::uint64_t kUnknownBytes = std::uint64_t{2} << 30;
  constexpr std::uint64_t kUnknownInodes = 500000;
  if (is_unknown) return {kUnknownBytes, kUnknownInodes};
  sandbox::StagingNeed need{kBaseBytes, kBaseInodes};
  auto add = [&](const PlannedPackage &package) {
    need.bytes += package.installed_size_bytes + package.installed_size_bytes / 8;
    need.inodes += 50 + package.installed_size_bytes / 4096;
  };
  for (const PlannedPackage &package : plan.packages) add(package);
  for (const PlannedTwin &twin : plan.twins) add(twin.package);
  return need;
}

/// Many packages are open at once while they wait for their turn.
void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// One build, its steps in the order of `run`.
class Builder {
 public:
  Builder(const BuilderSetup &setup, base::Channel &channel)
      : setup_(setup), plan_(setup.plan), channel_(channel), events_(channel, setup.shown_steps) {}

  void run() {
    receive_plan();
    begun_ = base::Trace::now();
    prepare_root();
    runner_ = sandbox::Runner::start(runner_options());
    installation_.emplace(
        InstallationContext{setup_, install_, channel_, root_, root_path_, staging_, *runner_, events_, trace_});
    if (restore_state()) {
      installation_->open_scripts();
      enter_root();
      trace_.note(SpanKind::stage, "base state", begun_);
    } else {
      install_packages();
      observe_state();
    }
    customize();
    std::vector<std::string> random_files;
    {
      base::Trace::Timer timer = trace_.time(SpanKind::stage, "pack");
      finish_tree();
      random_files = customize::random_files(root_);
      pack();
    }
    events_.done(std::move(random_files), output_bytes_, std::move(tar_digest_), trace_.take());
  }

  /// Takes away what a failed build leaves in a directory that was given as output.
  void discard() noexcept {
    try {
      installation_.reset();
      if (runner_) runner_->stop();
      if (!setup_.is_in_place() || root_.fd() < 0) return;
      sandbox::unmount_below(root_path_);
      if (setup_.is_directory_filled) {  // what is whose cannot be told
        root_.remove_tree(kInPlaceStage);
      } else {
        root_.clear_directory("/", {"lost+found"});
      }
    } catch (const Error &) {
      // the failure that led here is what is reported
    }
  }

  EventSender &events() noexcept { return events_; }

 private:
  /// From the empty root to one with every package configured.
  void install_packages() {
    if (!is_skipped(plan_.skips, "setup")) make_skeleton(root_, plan_, install_.sources, setup_.is_chrootless());
    make_own_devices();
    if (has_hooks(plan_.hooks, HookStage::setup)) {
      run_hooks(HookStage::setup);
      events_.root_state(read_root_state(root_));
      receive_plan();
    }
    if (is_skipped(plan_.skips, "setup") && !install_.packages.empty()) make_dpkg_directories(root_);
    // apt makes it before it fetches: a package that has it too finds it there, and then dpkg leaves it as it is
    if (apt_state().has_archives) root_.make_directories("/var/cache/apt/archives/partial");
    installation_->extract_first();
    enter_root();
    bool wants_debs = has_hooks(plan_.hooks, HookStage::extract) || is_skipped(plan_.skips, "essential/unlink");
    if (wants_debs) first_debs_.emplace(installation_->archive_first());
    run_hooks(HookStage::extract);
    trace_.note(SpanKind::stage, "first packages", begun_);
    if (plan_.variant != Variant::extract) install();
  }

  /// The same by a state of the cache. @return whether there was one that could be used; else the root is as it was
  bool restore_state() {
    if (state_order_.task != StateTask::restore) return false;
    events_.phase_started(Phase::restore, {});
    std::string failure;
    bool is_damaged = false;
    try {
      pack::PackCount count = build::restore_state(root_, state_file_.get(), state_order_.parts, plan_.jobs);
      events_.phase_finished(Phase::restore, {count.entries, 0, count.content_bytes, 0});
    } catch (const Error &error) {
      failure = error.message();
      is_damaged = error.kind() == ErrorKind::trust;
      root_.clear_directory("/", {"lost+found"});
      settle_top();
      events_.phase_finished(Phase::restore, {});
    }
    events_.state_restored(failure, is_damaged);
    return failure.empty();
  }

  /// Looks at the state that was reached, so that later builds may begin with it.
  void observe_state() {
    if (state_order_.task != StateTask::digest && state_order_.task != StateTask::keep) return;
    base::Trace::Timer timer = trace_.time(SpanKind::stage, "look at the state");
    std::vector<std::string> random_paths = customize::random_files(root_);
    cache::StateParts parts;
    std::string failure;
    try {
      if (random_paths.empty())
        parts = build::observe_state(root_, install_.epoch, installation_->unpacked_files(), state_file_.get());
    } catch (const Error &error) {
      failure = error.message();  // a full disk is no reason to have no image
    }
    events_.state_seen(std::move(parts), std::move(random_paths), failure);
    state_file_.reset();
  }

  [[nodiscard]] sandbox::RunnerOptions runner_options() const {
    bool mounts = !is_skipped(plan_.skips, "chroot/mount");
    sandbox::RunnerOptions options;
    options.shares_network = plan_.shares_network_with_scripts;
    // what setup hooks bring is only known later
    bool may_have_twins =
        has_hooks(plan_.hooks, HookStage::setup) ? !plan_.twin_architecture.empty() : !install_.twins.empty();
    if (may_have_twins) options.private_name = twins::kDirectoryName;
    options.confinement = setup_.confinement;
    options.mounts_proc = mounts && !is_skipped(plan_.skips, "chroot/mount/proc");
    options.mounts_dev = mounts && !is_skipped(plan_.skips, "chroot/mount/dev");
    options.mounts_sys = mounts && !is_skipped(plan_.skips, "chroot/mount/sys");
    return options;
  }

  void receive_plan() { install_ = take_plan(std::nullopt); }

  /// @param message that has the plan, if it was received already
  InstallPlan take_plan(std::optional<base::ChannelMessage> message) {
    base::Trace::Timer timer = trace_.time(SpanKind::wait, "the plan");
    if (!message) message = channel_.receive();
    if (!message) throw Error(ErrorKind::interrupted, "the build was stopped");
    auto content = base::from_wire<ToBuilder>(message->bytes);
    if (content.kind != ToBuilder::Kind::plan) throw Error(ErrorKind::internal, "the builder got no plan");
    state_order_ = std::move(content.state);
    if (!message->fds.empty()) state_file_ = std::move(message->fds[0]);
    lists_.clear();
    for (std::size_t i = 0; i < content.plan.list_names.size(); ++i) {
      std::optional<base::ChannelMessage> list = channel_.receive();
      if (!list) throw Error(ErrorKind::interrupted, "the build was stopped");
      bool is_list = base::from_wire<ToBuilder>(list->bytes).kind == ToBuilder::Kind::list && list->fds.size() == 1;
      if (!is_list) throw Error(ErrorKind::internal, "the builder got no index file");
      lists_.push_back(std::move(list->fds[0]));
    }
    return std::move(content.plan);
  }

  void prepare_root() {
    raise_descriptor_limit();
    sandbox::sweep_stale_stagings(plan_.temporary_directory, setup_.caller_uid_inside);
    sandbox::StagingChoice choice;
    if (!setup_.is_in_place() && setup_.may_mount()) {
      choice = sandbox::choose_staging(
          staging_need(install_, has_hooks(plan_.hooks, HookStage::setup) || install_.is_rest_open),
          sandbox::read_memory_facts());
    }
    bool uses_own_nodes = makes_device_nodes() && setup_.confinement == sandbox::Confinement::chroot;
    staging_ = sandbox::prepare_staging(setup_.staging_path, choice, uses_own_nodes);
    is_in_memory_ = choice.kind == sandbox::StagingKind::memory;
    root_path_ = setup_.is_in_place() ? setup_.directory_output : setup_.staging_path + "/root";
    root_ = base::RootDirectory::open(root_path_);
    settle_top();
    if (setup_.emulation.needs_own_binfmt()) {
      std::string mount_point = setup_.staging_path + "/binfmt_misc";
      staging_.make_directories("/binfmt_misc");
      sandbox::register_emulator(setup_.emulation, mount_point);
    }
  }

  void settle_top() {
    root_.set_mode("/", 0755);
    root_.set_owner("/", 0, 0);
  }

  /// Whether nodes may be made, so that a file system without them will not do.
  [[nodiscard]] bool makes_device_nodes() const {
    return ::geteuid() == 0 && !setup_.emulation.needs_own_binfmt() && !setup_.is_chrootless();
  }

  void enter_root() {
    if (setup_.is_chrootless()) return;
    if (plan_.variant != Variant::extract) {  // else nothing will run in it
      runner_->enter(root_);
      for (const std::string &note : runner_->notes()) events_.note(note);
    }
    customize::install_shims(root_, {.policy = !is_skipped(plan_.skips, "chroot/policy-rc.d"),
                                     .daemon = !is_skipped(plan_.skips, "chroot/start-stop-daemon")});
  }

  void install() {
    base::Trace::Timer timer = trace_.time(SpanKind::stage, "install");
    installation_->install_first();
    if (first_debs_ && !is_skipped(plan_.skips, "essential/unlink")) first_debs_->remove();
    run_hooks(HookStage::essential);
    if ((install_.is_rest_open || have_hooks_say_) && has_second_part(plan_.variant)) receive_rest();
    installation_->install_rest();
  }

  /// Has apt's part chosen by what hooks have left.
  void receive_rest() {
    events_.root_state(read_root_state(root_));
    InstallPlan rest = take_plan(installation_->await_rest());
    install_.list_names = rest.list_names;
    installation_->replace_rest(std::move(rest));
  }

  void customize() {
    if (plan_.variant == Variant::extract) return;
    base::Trace::Timer timer = trace_.time(SpanKind::stage, "customize");
    events_.phase_started(Phase::customize, {});
    if (!plan_.is_plain) {
      customize::set_network(root_, plan_.network, [this](const std::vector<std::string> &argv) { run_inside(argv); });
    }
    if (plan_.hostname) customize::set_hostname(root_, *plan_.hostname);
    run_customize_hooks();
    events_.phase_finished(Phase::customize, {});
  }

  void run_customize_hooks() {
    std::optional<ArchivedDebs> debs;
    if (shows_downloads(plan_)) debs.emplace(installation_->archive_rest());
    run_hooks(HookStage::customize);
    hooks_.finish();
    if (debs) debs->remove();
  }

  void run_inside(const std::vector<std::string> &argv) {
    configure::ScriptCall call{argv[0], argv, script_environment(plan_.host_traces, install_.epoch)};
    configure::ScriptResult result = installation_->scripts().run(call);
    if (result.is_success()) return;
    throw Error(ErrorKind::script, fmt::format("'{}' failed inside the root", base::join(argv, " ")))
        .detail("output", std::string(base::trim(result.output)));
  }

  void run_hooks(HookStage stage) {
    if (!has_hooks(plan_.hooks, stage)) return;
    StageFacts facts;
    facts.apt = apt_state();
    if (first_debs_) facts.first_debs = first_debs_->paths();
    facts.has_own_devices = has_own_devices_;
    facts.after_hook = [this] { installation_->reload(); };
    bool is_between = stage == HookStage::extract || stage == HookStage::essential;
    RootState before = is_between ? read_root_state(root_) : RootState();
    hooks_.run(stage, facts, root_path_);
    if (is_between && (hooks_.has_brought_lists() || has_say(before, read_root_state(root_)))) have_hooks_say_ = true;
  }

  [[nodiscard]] AptState apt_state() const {
    customize::CleanupOptions cleanup = customize::cleanup_options(plan_.skips);
    AptState state;
    state.user_id = plan_.host_traces.apt_user_id;
    state.has_lists = !is_skipped(plan_.skips, "update") || !cleanup.keeps_apt_lists;
    state.has_archives = !install_.packages.empty() || !installation_->rest().packages.empty();
    state.has_archive_lock = !cleanup.keeps_apt_cache || !installation_->rest().runs.empty();
    state.has_auxiliary_files = cleanup.keeps_auxiliary_files && !is_skipped(plan_.skips, "update");
    return state;
  }

  void finish_tree() {
    runner_->stop();
    customize::remove_shims(root_);
    if (has_own_devices_) pack::remove_devices(root_);
    keep_downloads();
    installation_->close();
    if (hooks_.have_run()) {
      remove_hook_apt_config(root_, plan_.skips);
      if (root_path_ != "/") sandbox::unmount_below(root_path_);
    }
    settle_apt_state(root_, apt_state_at_end());
    remove_build_settings(root_, plan_.skips);
    customize::clean_up(root_, customize::cleanup_options(plan_.skips));
    if (customize::cleanup_options(plan_.skips).keeps_apt_lists) keep_lists();
  }

  /// The indexes as apt keeps them, which is without compression: as hooks saw them they may still be there.
  void keep_lists() {
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      std::string name = plain_list_name(install_.list_names[i]);
      root_.remove_tree("/var/lib/apt/lists/" + install_.list_names[i]);
      ::lseek(lists_[i].get(), 0, SEEK_SET);
      root_.write("/var/lib/apt/lists/" + name, base::decompress(base::read_all(lists_[i].get()), name));
    }
  }

  /// The .debs that apt would have left in its cache: those of the essential set are removed once they are installed,
  /// all of them when the cache is cleaned.
  void keep_downloads() {
    if (!customize::cleanup_options(plan_.skips).keeps_apt_cache) return;
    bool keeps_first = is_skipped(plan_.skips, "essential/unlink") || plan_.variant == Variant::extract;
    for (const KeptDownload &kept : installation_->take_kept()) {
      if (kept.is_first && !keeps_first) continue;
      root_.make_directories("/var/cache/apt/archives");
      root_.write("/var/cache/apt/archives/" + kept.name, base::read_all(kept.file.get()));
    }
  }

  /// `apt-get clean` locks the archives' directory wherever there is one, though no package came through it.
  [[nodiscard]] AptState apt_state_at_end() const {
    AptState state = apt_state();
    bool is_cleaned = !customize::cleanup_options(plan_.skips).keeps_apt_cache;
    state.has_archives = state.has_archives || (is_cleaned && root_.exists("/var/cache/apt/archives"));
    return state;
  }

  /// Device nodes in the tree itself, which hooks, and scripts where nothing is mounted, find there. mmdebstrap makes
  /// them wherever it may.
  void make_own_devices() {
    bool shows_none = !runner_options().mounts_dev || setup_.confinement == sandbox::Confinement::chroot;
    bool is_as_mmdebstrap = plan_.hooks_are_mmdebstraps;
    bool is_seen = !plan_.hooks.empty() || is_skipped(plan_.skips, "output/dev");
    bool wants_them = shows_none || (is_as_mmdebstrap && is_seen);
    bool is_left_out = is_skipped(plan_.skips, "setup") && !shows_none;
    if (!wants_them || is_left_out || !makes_device_nodes() || !pack::may_make_nodes(root_)) return;
    has_own_devices_ = pack::make_devices(root_, true);
    if (!has_own_devices_) pack::remove_devices(root_);
  }

  /// What a tar has below /dev is made for real where the tree itself is the image, and where both the entries of the
  /// tar and their removal from the tree are skipped (mmdebstrap makes them at its beginning, if it may).
  void make_devices() {
    bool with_devices = !is_skipped(plan_.skips, "output/dev");
    bool is_kept = !with_devices && (is_skipped(plan_.skips, "cleanup") || is_skipped(plan_.skips, "cleanup/dev"));
    // mmdebstrap makes all of them or none
    bool is_all_or_nothing = plan_.host_traces.environment.has_value();
    if (is_all_or_nothing && !pack::may_make_nodes(root_)) return;
    if (is_kept || (setup_.is_in_place() && with_devices)) {
      pack::make_devices(root_, !is_skipped(plan_.skips, "output/mknod"));
    }
  }

  void pack() {
    events_.phase_started(Phase::pack, {});
    make_devices();
    pack::PackOptions options;
    options.epoch_seconds = install_.epoch;
    options.threads = plan_.jobs;
    options.consumes_tree = is_in_memory_;
    options.with_devices = !is_skipped(plan_.skips, "output/dev");
    options.with_device_nodes = !is_skipped(plan_.skips, "output/mknod");
    options.shows_root_as_owner = setup_.is_chrootless() && root_.status("/").value().st_uid != 0;
    auto last = std::chrono::steady_clock::now();
    options.on_progress = [&](const pack::PackCount &count) {
      auto now = std::chrono::steady_clock::now();
      if (now - last < std::chrono::milliseconds(100)) return;
      last = now;
      events_.phase_advanced(Phase::pack, {count.entries, 0, count.content_bytes, 0}, {});
    };
    PhaseCount count;
    if (!setup_.sinks.empty()) {
      pack::PackResult result = pack::pack_tree(root_, setup_.sinks, options);
      for (const std::string &warning : result.warnings) events_.warning(warning);
      for (std::uint64_t bytes : result.output_bytes) output_bytes_ += bytes;
      count = {result.count.entries, 0, result.count.content_bytes, 0};
      tar_digest_ = std::move(result.tar_digest);
    }
    if (setup_.is_in_place()) pack::finish_directory(root_, install_.epoch);
    events_.phase_finished(Phase::pack, count);
  }

  const BuilderSetup &setup_;
  const BuildPlan &plan_;
  base::Channel &channel_;
  EventSender events_;
  base::Trace trace_{SpanProcess::builder};
  std::uint64_t begun_ = 0;  ///< when the plan was there, as Trace counts
  InstallPlan install_;
  StateOrder state_order_;
  base::Fd state_file_;
  std::vector<base::Fd> lists_;
  bool is_in_memory_ = false;  ///< the tree is on a tmpfs of its own
  base::RootDirectory staging_;
  base::RootDirectory root_;
  std::string root_path_;         ///< as hooks are told it
  bool has_own_devices_ = false;  ///< nodes in the tree itself
  std::optional<sandbox::Runner> runner_;
  std::optional<Installation> installation_;
  bool have_hooks_say_ = false;  ///< hooks between the two parts have changed what packages are chosen by
  HookStages hooks_{{setup_, plan_, install_, lists_, root_, staging_, events_, trace_}};
  std::optional<ArchivedDebs> first_debs_;
  std::uint64_t output_bytes_ = 0;
  std::string tar_digest_;
};

}  // namespace

int run_builder(const BuilderSetup &setup, base::Channel channel) {
  Builder builder(setup, channel);
  std::optional<Error> failure;
  try {
    builder.run();
    return 0;
  } catch (const Error &error) {
    failure = error;
  } catch (const std::exception &error) {
    failure = Error(ErrorKind::internal, error.what());
  }
  builder.discard();
  try {
    builder.events().failed(*failure);
  } catch (const Error &) {
    // nobody is left to tell
  }
  return 1;
}

}  // namespace debroot::build
