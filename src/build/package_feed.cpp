#include "build/package_feed.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/clock.hpp"
#include "base/wire.hpp"
#include "build/error_wire.hpp"

namespace debroot::build {

using base::Clock;

namespace {

/// The failure that the builder reported, if it is among what it sent.
std::optional<Error> reported_failure(base::Channel &channel) {
  while (std::optional<base::ChannelMessage> bytes = channel.receive()) {
    auto message = base::from_wire<FromBuilder>(bytes->bytes);
    if (message.kind == FromBuilder::Kind::failed) return error_from_bytes(message.text);
  }
  return std::nullopt;
}

}  // namespace

void tell_builder(base::Channel &channel, std::string_view bytes, const std::vector<int> &fds) {
  try {
    channel.send(bytes, fds);
  } catch (const Error &) {
    if (std::optional<Error> failure = reported_failure(channel)) throw *failure;
    throw Error(ErrorKind::internal, "the builder process ended unexpectedly");
  }
}

PackageFeed::PackageFeed(const BuildPlan &plan, SelectedPackages selected, std::vector<ListFile> lists,
                         fetch::Fetcher &fetcher, sandbox::BuilderHandle &builder, Progress &progress,
                         base::Trace &trace, BaseStateTurn *state)
    : plan_(std::move(selected.plan)),
      downloads_(std::move(selected.downloads)),
      lists_(std::move(lists)),
      needs_lists_(needs_lists(plan)),
      fetcher_(fetcher),
      builder_(builder),
      progress_(progress),
      trace_(trace),
      state_(state) {}

std::optional<RootState> PackageFeed::run(const std::stop_token &stop, BuildReport &report) {
  send_plan();
  has_all_ = begins_with_state(stop, report) || downloads_.empty();
  if (!has_all_) start_downloads();
  while (!is_done_) {
    take_downloads();
    if (count_.items_done == count_.items_total && !has_all_) finish_downloads(report);
    wait_for_events(stop);
    take_events(report);
  }
  if (root_state_ && !has_all_) finish_downloads(report);
  return std::move(root_state_);
}

bool PackageFeed::begins_with_state(const std::stop_token &stop, BuildReport &report) {
  if (state_ == nullptr || state_->order().task != StateTask::restore) return false;
  while (!is_restored_ && !is_done_) {
    wait_for_events(stop);
    take_events(report);
  }
  return is_restored_.value_or(false);
}

void PackageFeed::take_events(BuildReport &report) {
  pollfd ready{builder_.channel().fd(), POLLIN, 0};
  while (!is_done_ && ::poll(&ready, 1, 0) > 0) {
    std::optional<base::ChannelMessage> bytes = builder_.channel().receive();
    if (!bytes) throw Error(ErrorKind::internal, "the builder process ended unexpectedly");
    handle(base::from_wire<FromBuilder>(bytes->bytes), report);
  }
}

void PackageFeed::send_plan() {
  if (needs_lists_) {
    for (const ListFile &list : lists_) plan_.list_names.push_back(list.name);
  }
  ToBuilder first{ToBuilder::Kind::plan, plan_, 0};
  std::vector<int> fds;
  if (state_ != nullptr) {
    first.state = state_->order();
    if (state_->fd() >= 0) fds.push_back(state_->fd());
  }
  tell_builder(builder_.channel(), base::to_wire(std::move(first)), fds);
  if (!needs_lists_) return;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    ToBuilder message{ToBuilder::Kind::list, {}, static_cast<std::uint32_t>(i)};
    tell_builder(builder_.channel(), base::to_wire(std::move(message)), {lists_[i].file.get()});
  }
}

void PackageFeed::start_downloads() {
  for (const fetch::Request &request : downloads_) count_.bytes_total += request.size_bytes;
  count_.items_total = downloads_.size();
  bytes_before_ = fetcher_.totals().network_bytes + fetcher_.totals().cache_bytes;
  started_ = Clock::now();
  began_ = base::Trace::now();
  progress_.phase_started(Phase::download, count_);
  tickets_.resize(downloads_.size());
  for (std::uint32_t number : order_of_need(plan_)) tickets_[number] = fetcher_.submit(std::move(downloads_[number]));
}

void PackageFeed::pass_on(std::uint32_t number, fetch::Completion completion) {
  const auto *failure = std::get_if<Error>(&completion.outcome);
  if (is_twin(number) && failure != nullptr && failure->kind() != ErrorKind::interrupted) {
    // its tools are emulated then
    tell_builder(builder_.channel(), base::to_wire(ToBuilder{ToBuilder::Kind::absent, {}, number}));
    return;
  }
  fetch::Fetched fetched = fetch::require(std::move(completion));
  ToBuilder message{ToBuilder::Kind::package, {}, number};
  tell_builder(builder_.channel(), base::to_wire(std::move(message)), {fetched.file.unchecked().get()});
}

void PackageFeed::take_downloads() {
  while (std::optional<fetch::Completion> completion = fetcher_.take_completion()) {
    auto ticket = std::find(tickets_.begin(), tickets_.end(), completion->ticket);
    if (ticket == tickets_.end()) continue;
    auto number = static_cast<std::uint32_t>(ticket - tickets_.begin());
    pass_on(number, std::move(*completion));
    ++count_.items_done;
    count_.bytes_done =
        std::min(count_.bytes_total, fetcher_.totals().network_bytes + fetcher_.totals().cache_bytes - bytes_before_);
    const PlannedPackage &package =
        is_twin(number) ? plan_.twins[number - plan_.packages.size()].package : plan_.packages[number];
    progress_.phase_advanced(Phase::download, count_, to_string(package.id));
  }
}

void PackageFeed::finish_downloads(BuildReport &report) {
  has_all_ = true;
  std::uint64_t spent = base::milliseconds_since(started_);
  progress_.phase_finished(Phase::download, count_, spent);
  trace_.note(SpanKind::network, "packages", began_);
  report.times.push_back({Phase::download, spent});
}

void PackageFeed::wait_for_events(const std::stop_token &stop) {
  constexpr int kTickMilliseconds = 200;
  pollfd ready[2] = {{builder_.channel().fd(), POLLIN, 0}, {fetcher_.completion_fd(), POLLIN, 0}};
  ::poll(ready, 2, kTickMilliseconds);
  if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "the build was interrupted");
  if (Clock::now() - told_ > std::chrono::milliseconds(kTickMilliseconds)) {
    progress_.tick();
    told_ = Clock::now();
  }
}

void PackageFeed::handle(const FromBuilder &message, BuildReport &report) {
  PhaseCount count{message.items_done, message.items_total, message.bytes_done, message.bytes_total};
  switch (message.kind) {
    case FromBuilder::Kind::phase_started:
      progress_.phase_started(message.phase, count);
      break;
    case FromBuilder::Kind::phase_advanced:
      progress_.phase_advanced(message.phase, count, message.subject);
      break;
    case FromBuilder::Kind::phase_finished:
      progress_.phase_finished(message.phase, count, message.milliseconds);
      report.times.push_back({message.phase, message.milliseconds});
      break;
    case FromBuilder::Kind::note:
      progress_.note(message.subject);
      break;
    case FromBuilder::Kind::warning:
      progress_.warning(message.subject);
      report.warnings.push_back(message.subject);
      break;
    case FromBuilder::Kind::script_output:
      progress_.script_output(message.subject, message.text);
      break;
    case FromBuilder::Kind::hook_output:
      progress_.hook_output(message.subject, message.text);
      break;
    case FromBuilder::Kind::step:
      progress_.step(message.subject);
      // a builder that is gone has nobody who waits, which is told elsewhere
      if (shown_steps_ >= 0) static_cast<void>(::write(shown_steps_, "", 1));
      break;
    case FromBuilder::Kind::failed:
      throw error_from_bytes(message.text);
    case FromBuilder::Kind::root_state:
      root_state_ = message.root_state;
      is_done_ = true;
      break;
    case FromBuilder::Kind::state_restored:
      is_restored_ = state_->on_restored(message, report);
      break;
    case FromBuilder::Kind::state_seen:
      state_->on_seen(message);
      break;
    case FromBuilder::Kind::done:
      report.random_paths = message.paths;
      report.output_bytes = message.output_bytes;
      tar_digest_ = message.text;
      report.spans = message.spans;
      is_done_ = true;
      break;
  }
}

}  // namespace debroot::build
