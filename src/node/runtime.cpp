#include "node/runtime.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/mutant.hpp"
#include "node/place.hpp"
#include "node/validate_options.hpp"

namespace concord::node {

using std::chrono::milliseconds;

namespace {

/// So many callers may drive before a thread of the node that waits for the lock. Each may take as long as a sync.
constexpr std::uint32_t passed_by_limit = 4;

/// Between two looks of a waiting writer whether nobody drives.
constexpr milliseconds longest_wait{32};

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::open(Host host, Options options, std::uint64_t segment_bytes) {
  if (auto valid = validate_options(options); !valid) return std::unexpected(std::move(valid.error()));
  const Drawn drawn{.cluster_id = host.draw(),
                    .node_id = host.draw(),
                    .directory = host.draw(),
                    .election_seed = host.draw(),
                    .hash_seed = host.draw(),
                    .log_salt = host.draw(),
                    .read_contexts = host.draw()};
  try {
    std::unique_ptr<Runtime> runtime(new Runtime(std::move(host), std::move(options), drawn, segment_bytes));
    if (auto started = runtime->start(); !started) return std::unexpected(std::move(started.error()));
    return runtime;
  } catch (const std::exception& e) {
    return concord::fail(Errc::internal, e.what());
  }
}

Runtime::Runtime(Host host, Options options, const Drawn& drawn, std::uint64_t segment_bytes)
    : host_(std::move(host)),
      files_(std::move(host_.files)),
      clock_(std::move(host_.clock)),
      options_(std::move(options)),
      drawn_(drawn),
      segment_bytes_(segment_bytes),
      traced_(host_.observer),
      queue_(options_.limits, traced_.is_on() ? &traced_ : nullptr),
      reads_(drawn.read_contexts >> 1U),
      times_(host_.observer, options_) {}  // half of the numbers lie before the end

Result<void> Runtime::start() {
  const bool may_have_peers = !options_.cluster.cookie.empty();
  // A node that may have peers gets its ids from its place among them.
  auto directory = log::DataDirectory::open(*files_, options_.data_dir.string(),
                                            {.cluster = base::ClusterId(may_have_peers ? 0 : drawn_.cluster_id),
                                             .node = base::NodeId(may_have_peers ? 0 : drawn_.node_id),
                                             .directory = drawn_.directory});
  if (!directory) return std::unexpected(std::move(directory.error()));
  directory_ = std::make_unique<log::DataDirectory>(std::move(*directory));
  const log::Identity& identity = directory_->identity();
  if (identity.removed) {
    return concord::fail(Errc::forbidden,
                         options_.data_dir.string() +
                             ": this node was removed from its cluster; it may join again with an empty directory");
  }
  if (!identity.formed) {
    if (auto valid = validate_formation(options_); !valid) return valid;
  }
  if (may_have_peers) {
    if (auto opened = open_peers(identity); !opened) return opened;
  }
  if (identity.formed || !may_have_peers) {
    Place place{.cluster = identity.cluster, .node = identity.node, .founders = replica::Membership()};
    if (!identity.formed && place.node.is_zero()) {  // left by an attempt that was to have peers
      place.cluster = base::ClusterId(drawn_.cluster_id);
      place.node = base::NodeId(drawn_.node_id);
    }
    place.founders->conf.voters = {place.node};
    if (auto taken = take_place(place); !taken) return taken;
    if (auto problem = failure()) return std::unexpected(*problem);
  }
  if (may_have_peers && (applied_index_.load(std::memory_order_acquire) == 0 || cluster_->finder)) begin_search();
  if (host_.has_threads) {
    start_threads();
  } else {
    sleeping_.store(true, std::memory_order_relaxed);  // until it is stepped
  }
  return {};
}

/// When all of the log is applied: its last entries are known to be committed only once this node leads again.
void Runtime::start_clock() {
  const store::StateMachine& state = replica_->state();
  const command::EntryStamp last{.cluster_time_ms = state.cluster_time_ms(), .wall_offset_ms = state.wall_offset_ms()};
  if (last.cluster_time_ms == 0) {
    cluster_clock_.start_fresh(host_time());
  } else {
    cluster_clock_.restart(last, host_time());
  }
}

/// Without threads nothing would happen while it waits.
Runtime::~Runtime() { close(host_.has_threads ? milliseconds(4500) : milliseconds(0)); }

Runtime::Driving::Driving(Runtime& runtime) : mutex_(runtime.drive_mutex_) {
  if (runtime.drive_mutex_.try_lock()) return;
  runtime.waiting_to_drive_.fetch_add(1, std::memory_order_relaxed);
  runtime.drive_mutex_.lock();
  runtime.waiting_to_drive_.fetch_sub(1, std::memory_order_relaxed);
  runtime.passed_by_.store(0, std::memory_order_relaxed);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes.

Answer Runtime::write(const Write& write, milliseconds timeout) {
  const bool somebody_waits = waiting_to_drive_.load(std::memory_order_relaxed) != 0;
  const bool lets_pass = somebody_waits && passed_by_.load(std::memory_order_relaxed) >= passed_by_limit;
  if (!lets_pass && drive_mutex_.try_lock()) {
    base::MutexLock driving(drive_mutex_, std::adopt_lock);
    if (somebody_waits) passed_by_.fetch_add(1, std::memory_order_relaxed);
    const bool decides_alone = sole_voter_.load(std::memory_order_relaxed) && serving_.load(std::memory_order_relaxed);
    if (decides_alone && !failed_.load(std::memory_order_relaxed)) {
      InlineWaiter waiter;
      if (!write.key.empty()) replica_->state().look_ahead(write.key);
      if (auto pushed = push_inline(write, waiter); !pushed) return std::unexpected(std::move(pushed.error()));
      drive();
      const bool must_flush = log_->has_unwritten() && !flush_is_planned_.load(std::memory_order_relaxed);
      driving.unlock();
      if (queue_.has_completions() || must_flush) wake();
      if (waiter.outcome()) return std::move(*waiter.outcome());
      return concord::fail(Errc::internal, "a write was not answered by its own turn", true);
    }
  }
  if (!formed_.load(std::memory_order_acquire)) return std::unexpected(no_place());
  const auto waiter = std::make_shared<BlockedWaiter>();
  waiter->hold();
  if (auto pushed = queue_.push(write, *waiter, deadline_of(timeout)); !pushed) {
    Answer refused = std::unexpected(std::move(pushed.error()));
    Answer copy = refused;
    waiter->answer(std::move(copy));  // gives the queue's reference back
    return refused;
  }
  wake();
  // Whoever drives may have looked for writes for the last time before this one came, and the replica thread may be busy: inside
  // a completion, or it is this thread. So who waits looks now and then whether nobody drives.
  const auto give_up_at = std::chrono::steady_clock::now() + base::bounded(timeout);
  for (milliseconds pause(1);; pause = std::min(2 * pause, longest_wait)) {
    if (!lets_pass) drive_if_free();
    const auto left = std::chrono::ceil<milliseconds>(give_up_at - std::chrono::steady_clock::now());
    if (auto outcome = waiter->wait(std::clamp(left, milliseconds(0), pause))) return std::move(*outcome);
    if (left <= pause) break;
  }
  return concord::fail(
      Errc::timeout,
      "the deadline of " + std::to_string(timeout.count()) + " ms has passed; whether the write happens is unknown",
      true);
}

/// Into the batch that is proposed next, when no other node may have to propose it and nobody else waits.
Result<void> Runtime::push_inline(const Write& write, InlineWaiter& waiter) {
  if (cluster_) return queue_.push(write, waiter, never_ms);
  const auto is_taken = queue_.push_taken(write, waiter, batch_);
  if (!is_taken) return std::unexpected(is_taken.error());
  has_batch_ = *is_taken;
  return {};
}

void Runtime::drive_if_free() {
  if (!has_inputs()) return;
  if (!drive_mutex_.try_lock()) return;
  drive();
  drive_mutex_.unlock();
  wake();  // completions, and what is not written yet
}

std::uint64_t Runtime::deadline_of(milliseconds timeout) const {
  return clock_->coarse_ms() + static_cast<std::uint64_t>(base::bounded(timeout).count());
}

/// Something waits for a driver.
bool Runtime::has_inputs() const noexcept {
  return !queue_.is_empty() || reads_.has_new() || (cluster_ && !cluster_->inbox.is_empty());
}

void Runtime::write_async(const Write& write, milliseconds timeout, Completion<command::Outcome> done) {
  if (!formed_.load(std::memory_order_acquire)) return done(std::unexpected(no_place()));
  if (auto pushed = queue_.push(write, done, deadline_of(timeout)); !pushed) {
    done(std::unexpected(std::move(pushed.error())));
    return;
  }
  wake();
}

// ---------------------------------------------------------------------------------------------------------------------
// The end.

void Runtime::close(milliseconds limit) {
  std::call_once(closed_, [&] {
    const auto give_up_at = std::chrono::steady_clock::now() + limit;
    {
      const base::MutexLock lock(place_mutex_);
      place_stopping_ = true;
    }
    place_condition_.notify_all();
    if (cluster_) cluster_->ask_peers([](Peers& peers) { peers.stop_asking(); });
    if (place_thread_.joinable()) place_thread_.join();
    hand_over(limit / 3);
    queue_.close(Error(Errc::cluster_not_ready, "the node is stopping"));
    while (!queue_.is_idle() && std::chrono::steady_clock::now() < give_up_at) {
      wake();
      std::this_thread::sleep_for(milliseconds(1));
    }
    {
      const base::MutexLock lock(background_mutex_);
      background_stopping_ = true;
    }
    background_condition_.notify_all();
    {
      const base::MutexLock lock(wake_mutex_);
      stopping_ = true;
    }
    wake_condition_.notify_all();
    if (replica_thread_.joinable()) replica_thread_.join();
    if (background_thread_.joinable()) background_thread_.join();
    {
      const Driving driving(*this);
      stopped_.store(true, std::memory_order_relaxed);
      queue_.fail_all(Error(Errc::timeout, "the node has stopped; whether the write happens is unknown", true),
                      Error(Errc::cluster_not_ready, "the node has stopped"));
      reads_.fail_all(Error(Errc::cluster_not_ready, "the node has stopped"));
      if (cluster_) refuse_waiting(Error(Errc::cluster_not_ready, "the node has stopped"));
    }
    if (cluster_) {
      cluster_->end_peers();
      cluster_->finder.reset();
    }
    call_completions();  // without the lock: they may call again
    const Driving driving(*this);
    serving_.store(false, std::memory_order_release);
    // Else with the next tick, which may not have come: who was told ends the node at once.
    if (removed_.load(std::memory_order_acquire) && !directory_->identity().removed &&
        !failed_.load(std::memory_order_relaxed)) {
      if (auto done = directory_->mark_removed(*files_); !done)
        say(LogLevel::error, "noting the removal: " + done.error().message());
    }
    if (log_ && !failed_.load(std::memory_order_relaxed)) {
      if (auto done = log_->close(); !done) say(LogLevel::error, "closing the log: " + done.error().message());
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads and state.

bool Runtime::may_read_now(ReadConsistency consistency) const noexcept {
  switch (consistency) {
    case ReadConsistency::eventual: return has_applied_.load(std::memory_order_acquire);
    case ReadConsistency::leader: return serving_.load(std::memory_order_acquire) && has_lease();
    case ReadConsistency::strong:
      // A sole voter needs nobody's word that it still leads.
      return serving_.load(std::memory_order_acquire) &&
             (sole_voter_.load(std::memory_order_acquire) || CONCORD_MUTANT("a-leader-reads-without-a-quorum"));
  }
  return false;
}

/// Whether a leader has heard of a quorum within an election timeout: one that was cut off, or stands still, must not go on
/// answering for longer (CONTRACT 2).
bool Runtime::has_lease() const noexcept {
  if (!cluster_ || sole_voter_.load(std::memory_order_relaxed)) return true;
  if (CONCORD_MUTANT("a-lease-has-no-end")) return true;
  return clock_->coarse_ms() < lease_until_ms_.load(std::memory_order_relaxed);
}

/// Why a read can't wait for a leader either; nothing: it can.
std::optional<Error> Runtime::refuses_reads(ReadConsistency consistency) const {
  if (!formed_.load(std::memory_order_acquire)) return no_place();
  if (consistency == ReadConsistency::eventual) {
    return Error(Errc::cluster_not_ready, "this node has not got its data from the cluster yet");
  }
  if (!cluster_) return Error(Errc::cluster_not_ready, "no leader is known");
  if (auto problem = failure()) return problem;
  return std::nullopt;
}

Result<void> Runtime::wait_readable(ReadConsistency consistency, milliseconds timeout) {
  if (may_read_now(consistency)) return {};
  if (auto refusal = refuses_reads(consistency)) return std::unexpected(std::move(*refusal));
  struct Waiting {
    base::Mutex mutex;
    base::CondVar answered;
    std::optional<Result<void>> result ABSL_GUARDED_BY(mutex);
  };
  const auto waiting = std::make_shared<Waiting>();
  reads_.ask({.done =
                  [waiting](Result<void> result) {
                    const base::MutexLock lock(waiting->mutex);
                    waiting->result = std::move(result);
                    waiting->answered.notify_one();
                  },
              .asked_ms = clock_->coarse_ms(),
              .deadline_ms = deadline_of(timeout)});
  wake();
  for (milliseconds pause(1);; pause = std::min(2 * pause, longest_wait)) {
    drive_if_free();
    base::MutexLock lock(waiting->mutex);
    // The node gives up in time, or answers when it stops.
    if (waiting->answered.wait_for(
            lock, pause, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(waiting->mutex) { return waiting->result.has_value(); }))
      return *waiting->result;
  }
}

void Runtime::when_readable(ReadConsistency consistency, milliseconds timeout, ReadGate::Done done) {
  if (may_read_now(consistency)) return done({});
  if (auto refusal = refuses_reads(consistency)) return done(std::unexpected(std::move(*refusal)));
  reads_.ask({.done = std::move(done), .asked_ms = clock_->coarse_ms(), .deadline_ms = deadline_of(timeout)});
  wake();
}

base::ClusterTimeMs Runtime::now_ms() const noexcept {
  return static_cast<base::ClusterTimeMs>(static_cast<std::int64_t>(clock_->monotonic_ms()) +
                                          cluster_minus_monotonic_ms_.load(std::memory_order_relaxed));
}

std::optional<Error> Runtime::failure() const {
  const base::MutexLock lock(error_mutex_);
  return failure_;
}

std::optional<Error> Runtime::refuses_writes() const {
  const base::MutexLock lock(error_mutex_);
  return failure_ ? failure_ : full_error_;
}

void Runtime::say(LogLevel level, const std::string& line) const {
  if (options_.log) options_.log(level, line);
}

}  // namespace concord::node
