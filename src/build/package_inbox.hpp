/// In the builder: takes .debs as they arrive, checks each and unpacks it beside the root, ahead of its turn.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/beneath.hpp"
#include "base/channel.hpp"
#include "base/worker_pool.hpp"
#include "build/install_plan.hpp"
#include "unpack/path_filter.hpp"
#include "unpack/stage.hpp"

namespace debroot::build {

class PackageInbox {
 public:
  /// Starts reading `channel`, from which every package of `plan` will come. What is referred to outlives the inbox.
  PackageInbox(base::Channel &channel, const InstallPlan &plan, base::RootDirectory stage, unpack::PathFilter filter,
               unsigned jobs);
  PackageInbox(const PackageInbox &) = delete;
  PackageInbox &operator=(const PackageInbox &) = delete;
  ~PackageInbox();

  /// The staged package `number`; waits until it arrived and is unpacked. Asked again, it is unpacked once more, which
  /// only packages of plan.first can be. @throws Error
  [[nodiscard]] unpack::StagedPackage take(std::uint32_t number);

 private:
  struct Slot {
    std::promise<std::future<unpack::StagedPackage>> arrived;
    std::future<std::future<unpack::StagedPackage>> arrival;
    base::Fd kept;  ///< of packages that may be wanted again
    unsigned turns = 0;
  };

  void receive_all();
  void accept(std::uint32_t number, base::Fd file);
  unpack::StagedPackage stage(std::uint32_t number, base::Fd file, unsigned turn) const;
  void fail_rest(const std::exception_ptr &cause);

  base::Channel &channel_;
  const InstallPlan &plan_;
  base::RootDirectory stage_;
  unpack::PathFilter filter_;
  std::vector<Slot> slots_;
  std::vector<bool> is_first_;
  base::WorkerPool pool_;
  std::jthread reader_;
};

}  // namespace debroot::build
