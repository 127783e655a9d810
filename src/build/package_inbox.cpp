#include "build/package_inbox.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/wire.hpp"
#include "build/archived_debs.hpp"
#include "verify/digest_check.hpp"

namespace debroot::build {

PackageInbox::PackageInbox(base::Channel &channel, const InstallPlan &plan, base::RootDirectory stage,
                           unpack::PathFilter filter, const twins::Store *twins, unsigned jobs, bool keeps_all,
                           base::Trace &trace)
    : channel_(channel),
      plan_(plan),
      stage_(std::move(stage)),
      filter_(std::move(filter)),
      twins_(twins),
      slots_(plan.packages.size()),
      twin_slots_(plan.twins.size()),
      is_first_(plan.packages.size(), false),
      place_(plan.packages.size() + plan.twins.size()),
      keeps_all_(keeps_all),
      trace_(trace),
      pool_(jobs, base::WorkerPriority::background) {
  for (Slot &slot : slots_) slot.arrival = slot.arrived.get_future();
  for (TwinSlot &slot : twin_slots_) slot.arrival = slot.arrived.get_future();
  for (std::uint32_t number : plan.first) is_first_[number] = true;
  std::uint32_t place = 0;
  for (std::uint32_t number : order_of_need(plan)) place_[number] = place++;
  reader_ = std::jthread([this] { receive_all(); });
}

PackageInbox::~PackageInbox() = default;

void PackageInbox::receive_all() {
  try {
    for (std::size_t have = 0; have < slots_.size() + twin_slots_.size(); ++have) {
      std::optional<base::ChannelMessage> bytes = channel_.receive();
      if (!bytes) throw Error(ErrorKind::interrupted, "the build was stopped");
      auto message = base::from_wire<ToBuilder>(bytes->bytes);
      if (message.kind == ToBuilder::Kind::plan) {
        other_plan_ = std::move(bytes);
        return give_up_twins();
      }
      bool is_twin = message.number >= slots_.size();
      bool has_file = message.kind == ToBuilder::Kind::package && bytes->fds.size() == 1;
      bool is_absent = message.kind == ToBuilder::Kind::absent && is_twin;
      if (!(has_file || is_absent) || message.number >= slots_.size() + twin_slots_.size()) {
        throw Error(ErrorKind::internal, "the builder got a message that it did not expect");
      }
      if (!is_twin) {
        accept(message.number, std::move(bytes->fds[0]));
      } else {
        accept_twin(message.number - static_cast<std::uint32_t>(slots_.size()),
                    is_absent ? std::nullopt : std::optional(std::move(bytes->fds[0])));
      }
    }
  } catch (...) {
    failure_ = std::current_exception();
    fail_rest(failure_);
  }
}

void PackageInbox::fail_rest(const std::exception_ptr &cause) {
  auto fail = [&](auto &slot) {
    try {
      slot.arrived.set_exception(cause);
    } catch (const std::future_error &) {
      // this one had arrived before
    }
  };
  std::for_each(slots_.begin(), slots_.end(), fail);
  std::for_each(twin_slots_.begin(), twin_slots_.end(), fail);
}

void PackageInbox::give_up_twins() {
  for (TwinSlot &slot : twin_slots_) {
    std::promise<std::optional<twins::UnpackedTwin>> absent;
    absent.set_value(std::nullopt);
    try {
      slot.arrived.set_value(absent.get_future());
    } catch (const std::future_error &) {
      // this one had arrived before
    }
  }
}

std::optional<base::ChannelMessage> PackageInbox::await_other_plan() {
  reader_.join();
  if (failure_) std::rethrow_exception(failure_);
  is_given_up_ = true;
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    if (!is_first_[number]) give_up(number);
  }
  return std::move(other_plan_);
}

/// What is there of a package already would fill the staging directory for nothing.
void PackageInbox::give_up(std::uint32_t number) {
  Slot &slot = slots_[number];
  slot.kept.reset();
  bool has_arrived = slot.arrival.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  if (!has_arrived) return;
  try {
    slot.arrival.get().get();
  } catch (const Error &) {
    // it was not unpacked, or not all of it
  }
  stage_.remove_tree(fmt::format("{}-0", number));
}

void PackageInbox::accept_twin(std::uint32_t number, std::optional<base::Fd> file) {
  auto shared = std::make_shared<std::optional<base::Fd>>(std::move(file));
  auto unpack = [this, number, shared]() -> std::optional<twins::UnpackedTwin> {
    if (!*shared) return std::nullopt;
    const PlannedPackage &planned = plan_.twins[number].package;
    std::string subject = to_string(planned.id);
    base::Trace::Timer timer = trace_.time(SpanKind::unpacking, "twin " + subject);
    return twins_->unpack(check(planned, std::move(**shared)),
                          {planned.id.name, planned.id.version, subject, fmt::format("{}", number)});
  };
  twin_slots_[number].arrived.set_value(pool_.submit(std::move(unpack), place_[slots_.size() + number]));
}

std::optional<twins::UnpackedTwin> PackageInbox::take_twin(std::uint32_t number) {
  base::Trace::Timer timer = trace_.time(SpanKind::wait, to_string(plan_.twins[number].package.id));
  return twin_slots_[number].arrival.get().get();
}

base::VerifiedFile PackageInbox::check(const PlannedPackage &planned, base::Fd file) const {
  return verify::check_file(base::UntrustedFile(std::move(file)), planned.sha256, planned.size_bytes,
                            to_string(planned.id) + ".deb");
}

base::VerifiedFile PackageInbox::file(std::uint32_t number) const {
  return check(plan_.packages[number], slots_[number].kept.duplicate());
}

void PackageInbox::accept(std::uint32_t number, base::Fd file) {
  Slot &slot = slots_[number];
  if (is_first_[number] || keeps_all_) slot.kept = file.duplicate();
  auto shared = std::make_shared<base::Fd>(std::move(file));
  auto unpack = [this, number, shared] { return stage(number, std::move(*shared), 0); };
  slot.arrived.set_value(pool_.submit(std::move(unpack), place_[number]));
}

unpack::StagedPackage PackageInbox::stage(std::uint32_t number, base::Fd file, unsigned turn) const {
  if (is_given_up_ && !is_first_[number]) throw Error(ErrorKind::interrupted, "another package is wanted");
  const PlannedPackage &planned = plan_.packages[number];
  std::string subject = to_string(planned.id);
  base::Trace::Timer timer = trace_.time(SpanKind::unpacking, subject);
  base::VerifiedFile verified = check(planned, std::move(file));
  return unpack::stage_package(verified, subject, stage_, fmt::format("{}-{}", number, turn), filter_);
}

std::vector<KeptDownload> PackageInbox::take_kept() {
  std::vector<KeptDownload> out;
  for (std::uint32_t number = 0; number < slots_.size(); ++number) {
    if (!slots_[number].kept || plan_.packages[number].is_local) continue;
    ::lseek(slots_[number].kept.get(), 0, SEEK_SET);
    out.push_back({deb_file_name(plan_.packages[number].id), is_first_[number], std::move(slots_[number].kept)});
  }
  return out;
}

unpack::StagedPackage PackageInbox::take(std::uint32_t number) {
  Slot &slot = slots_[number];
  unsigned turn = slot.turns++;
  if (turn > 0) return stage(number, slot.kept.duplicate(), turn);
  base::Trace::Timer timer = trace_.time(SpanKind::wait, to_string(plan_.packages[number].id));
  return slot.arrival.get().get();
}

}  // namespace debroot::build
