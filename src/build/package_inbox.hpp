/// In the builder: takes .debs as they arrive, checks each and unpacks it beside the root, ahead of its turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/beneath.hpp"
#include "base/channel.hpp"
#include "base/trace.hpp"
#include "base/worker_pool.hpp"
#include "build/install_plan.hpp"
#include "twins/store.hpp"
#include "unpack/path_filter.hpp"
#include "unpack/stage.hpp"

namespace debroot::build {

/// A .deb as apt would have left it in /var/cache/apt/archives.
struct KeptDownload {
  std::string name;       ///< "dbus_1%3a1.14-1_amd64.deb"
  bool is_first = false;  ///< of InstallPlan::first
  base::Fd file;          ///< at its beginning
};

class PackageInbox {
 public:
  /// Starts reading `channel`, from which every package of `plan` will come, and every twin, which go to `twins` (may
  /// be null when there are none). With `keeps_all`, take_kept() will give every .deb. What is referred to outlives the
  /// inbox.
  PackageInbox(base::Channel &channel, const InstallPlan &plan, base::RootDirectory stage, unpack::PathFilter filter,
               const twins::Store *twins, unsigned jobs, bool keeps_all, base::Trace &trace);
  PackageInbox(const PackageInbox &) = delete;
  PackageInbox &operator=(const PackageInbox &) = delete;
  ~PackageInbox();

  /// The staged package `number`; waits until it arrived and is unpacked. Asked again, it is unpacked once more, which
  /// only packages of plan.first can be. @throws Error
  [[nodiscard]] unpack::StagedPackage take(std::uint32_t number);

  /// The .deb of a package of plan.first that was taken before, checked again. @throws Error
  [[nodiscard]] base::VerifiedFile file(std::uint32_t number) const;

  /// The twin at place `number` of plan.twins, once it arrived and is unpacked; nothing when it cannot be had. May be
  /// asked once. @throws Error
  [[nodiscard]] std::optional<twins::UnpackedTwin> take_twin(std::uint32_t number);

  /// To be called when another plan is to come in place of what has not arrived; of that nothing may be asked any more.
  /// What was unpacked of it is removed. @return the message with that plan, if the inbox has met it already
  /// @throws what ended the reading
  [[nodiscard]] std::optional<base::ChannelMessage> await_other_plan();

  /// Every .deb that was downloaded, when what is wanted has been taken; once.
  [[nodiscard]] std::vector<KeptDownload> take_kept();

 private:
  using TwinFuture = std::future<std::optional<twins::UnpackedTwin>>;

  struct Slot {
    std::promise<std::future<unpack::StagedPackage>> arrived;
    std::future<std::future<unpack::StagedPackage>> arrival;
    base::Fd kept;  ///< of packages that may be wanted again
    unsigned turns = 0;
  };

  struct TwinSlot {
    std::promise<TwinFuture> arrived;
    std::future<TwinFuture> arrival;
  };

  void receive_all();
  void accept_twin(std::uint32_t number, std::optional<base::Fd> file);
  [[nodiscard]] base::VerifiedFile check(const PlannedPackage &planned, base::Fd file) const;
  void accept(std::uint32_t number, base::Fd file);
  unpack::StagedPackage stage(std::uint32_t number, base::Fd file, unsigned turn) const;
  void fail_rest(const std::exception_ptr &cause);
  void give_up_twins();
  void give_up(std::uint32_t number);

  base::Channel &channel_;
  const InstallPlan &plan_;
  base::RootDirectory stage_;
  unpack::PathFilter filter_;
  const twins::Store *twins_;
  std::vector<Slot> slots_;
  std::vector<TwinSlot> twin_slots_;
  std::vector<bool> is_first_;
  std::vector<std::uint32_t> place_;  ///< of each .deb, twins' too, in the order of need; they arrive in any order
  bool keeps_all_;
  base::Trace &trace_;
  std::optional<base::ChannelMessage> other_plan_;  ///< the reader's until it has ended
  std::exception_ptr failure_;                      ///< likewise
  std::atomic<bool> is_given_up_ = false;           ///< all that is not of plan.first
  base::WorkerPool pool_;
  std::jthread reader_;
};

}  // namespace debroot::build
