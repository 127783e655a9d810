#include "build/package_inbox.hpp"

#include <fmt/format.h>

#include "base/wire.hpp"
#include "verify/digest_check.hpp"

namespace debroot::build {

PackageInbox::PackageInbox(base::Channel &channel, const InstallPlan &plan, base::RootDirectory stage,
                           unpack::PathFilter filter, unsigned jobs)
    : channel_(channel),
      plan_(plan),
      stage_(std::move(stage)),
      filter_(std::move(filter)),
      slots_(plan.packages.size()),
      is_first_(plan.packages.size(), false),
      pool_(jobs) {
  for (Slot &slot : slots_) slot.arrival = slot.arrived.get_future();
  for (std::uint32_t number : plan.first) is_first_[number] = true;
  reader_ = std::jthread([this] { receive_all(); });
}

PackageInbox::~PackageInbox() = default;

void PackageInbox::receive_all() {
  try {
    for (std::size_t have = 0; have < slots_.size(); ++have) {
      std::optional<base::ChannelMessage> bytes = channel_.receive();
      if (!bytes) throw Error(ErrorKind::interrupted, "the build was stopped");
      auto message = base::from_wire<ToBuilder>(bytes->bytes);
      if (message.kind != ToBuilder::Kind::package || bytes->fds.size() != 1 || message.number >= slots_.size()) {
        throw Error(ErrorKind::internal, "the builder got a message that it did not expect");
      }
      accept(message.number, std::move(bytes->fds[0]));
    }
  } catch (...) {
    fail_rest(std::current_exception());
  }
}

void PackageInbox::fail_rest(const std::exception_ptr &cause) {
  for (Slot &slot : slots_) {
    try {
      slot.arrived.set_exception(cause);
    } catch (const std::future_error &) {
      // this one had arrived before
    }
  }
}

void PackageInbox::accept(std::uint32_t number, base::Fd file) {
  Slot &slot = slots_[number];
  if (is_first_[number]) slot.kept = file.duplicate();
  auto shared = std::make_shared<base::Fd>(std::move(file));
  slot.arrived.set_value(pool_.submit([this, number, shared] { return stage(number, std::move(*shared), 0); }));
}

unpack::StagedPackage PackageInbox::stage(std::uint32_t number, base::Fd file, unsigned turn) const {
  const PlannedPackage &planned = plan_.packages[number];
  std::string subject = to_string(planned.id);
  base::VerifiedFile verified =
      verify::check_file(base::UntrustedFile(std::move(file)), planned.sha256, planned.size_bytes, subject + ".deb");
  return unpack::stage_package(verified, subject, stage_, fmt::format("{}-{}", number, turn), filter_);
}

unpack::StagedPackage PackageInbox::take(std::uint32_t number) {
  Slot &slot = slots_[number];
  unsigned turn = slot.turns++;
  if (turn > 0) return stage(number, slot.kept.duplicate(), turn);
  return slot.arrival.get().get();
}

}  // namespace debroot::build
