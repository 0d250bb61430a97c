#include "node/runtime.hpp"

#include <sys/random.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <concord/version.hpp>

#include "base/crc32c.hpp"

namespace concord::node {

using std::chrono::milliseconds;

namespace {

/// So many callers may drive before a thread of the node that waits for the lock. Each may take as long as a sync.
constexpr std::uint32_t passed_by_limit = 4;

std::uint64_t draw() {
  std::uint64_t number = 0;
  do {
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
      number = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    }
  } while (number == 0);
  return number;
}

/// Tells one boot of this machine from the next.
std::uint64_t boot_id(env::FileSystem& files) {
  auto file = files.open("/proc/sys/kernel/random/boot_id", env::OpenMode::read);
  char text[64] = {};
  const std::size_t size = file ? (*file)->read_at(0, text, sizeof text).value_or(0) : 0;
  return base::crc32c({text, size});
}

/// Entries and places in the log are counted with 32 bits.
constexpr std::size_t largest_limit_bytes = 1U << 30U;
/// Between two looks of a waiting writer whether nobody drives.
constexpr milliseconds longest_wait{32};

Result<void> validate(const Options& options) {
  if (options.name.empty() || options.name.size() > 255)
    return concord::fail(Errc::invalid_request, "node name: 1 to 255 bytes");
  if (options.heartbeat.count() < 1 || options.election_timeout < 2 * options.heartbeat) {
    return concord::fail(Errc::invalid_request,
                         "election_timeout must be at least twice heartbeat, heartbeat at least 1 ms");
  }
  if (options.flush_interval.count() < 1) return concord::fail(Errc::invalid_request, "flush_interval: at least 1 ms");
  if (options.data_dir.empty()) return concord::fail(Errc::invalid_request, "data_dir is empty");
  if (options.limits.max_value_bytes > largest_limit_bytes ||
      options.limits.max_in_flight_bytes > largest_limit_bytes) {
    return concord::fail(Errc::invalid_request, "limits of values and of bytes in flight: at most 1 GiB");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::open(std::unique_ptr<env::FileSystem> files,
                                               std::unique_ptr<env::Clock> clock, Options options,
                                               std::uint64_t segment_bytes) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid.error()));
  const Drawn drawn{.cluster_id = draw(),
                    .node_id = draw(),
                    .directory_id = draw(),
                    .election_seed = draw(),
                    .hash_seed = draw(),
                    .log_salt = draw()};
  const Say say = [&options](LogLevel level, const std::string& line) {
    if (options.log) options.log(level, line);
  };
  try {
    auto recovered = recover(*files, options, drawn, boot_id(*files), segment_bytes, say);
    if (!recovered) return std::unexpected(std::move(recovered.error()));
    std::unique_ptr<Runtime> runtime(
        new Runtime(std::move(files), std::move(clock), std::move(options), std::move(*recovered)));
    if (auto started = runtime->start(); !started) return std::unexpected(std::move(started.error()));
    return runtime;
  } catch (const std::exception& e) {
    return concord::fail(Errc::internal, e.what());
  }
}

Runtime::Runtime(std::unique_ptr<env::FileSystem> files, std::unique_ptr<env::Clock> clock, Options options,
                 Recovered recovered)
    : files_(std::move(files)),
      clock_(std::move(clock)),
      options_(std::move(options)),
      directory_(std::move(recovered.directory)),
      log_(std::move(recovered.log)),
      replica_(std::move(recovered.replica)),
      queue_(directory_->identity().node, directory_->identity().incarnation, options_.limits),
      hard_state_(log_->hard_state()) {
  snapshot_index_ = recovered.snapshot_index.value();
  snapshot_wanted_at_ =
      base::Index(std::max(recovered.snapshot_index.value(), std::uint64_t{1}) + options_.snapshot.every_entries);
  snapshot_wanted_bytes_ = options_.snapshot.every_bytes;
}

Result<void> Runtime::start() {
  {
    const Driving driving(*this);
    // Nobody else has a vote: waiting for an election timeout would only be waiting.
    if (replica_->is_sole_voter()) {
      if (auto asked = replica_->campaign(); !asked) return asked;
    }
    drive();
    start_clock();
    if (auto ticked = tick(clock_->coarse_ms()); !ticked) return ticked;
  }
  if (auto problem = failure()) return std::unexpected(*problem);
  replica_thread_ = std::thread([this] { run(); });
  background_thread_ = std::thread([this] { run_background(); });
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

Runtime::~Runtime() { close(milliseconds(4500)); }

Runtime::Driving::Driving(Runtime& runtime) : lock_(runtime.drive_mutex_, std::defer_lock) {
  if (lock_.try_lock()) return;
  runtime.waiting_to_drive_.fetch_add(1, std::memory_order_relaxed);
  lock_.lock();
  runtime.waiting_to_drive_.fetch_sub(1, std::memory_order_relaxed);
  runtime.passed_by_.store(0, std::memory_order_relaxed);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes.

Answer Runtime::write(const Write& write, milliseconds timeout) {
  const bool somebody_waits = waiting_to_drive_.load(std::memory_order_relaxed) != 0;
  const bool lets_pass = somebody_waits && passed_by_.load(std::memory_order_relaxed) >= passed_by_limit;
  if (std::unique_lock driving(drive_mutex_, std::defer_lock); !lets_pass && driving.try_lock()) {
    if (somebody_waits) passed_by_.fetch_add(1, std::memory_order_relaxed);
    const bool decides_alone = sole_voter_.load(std::memory_order_relaxed) && serving_.load(std::memory_order_relaxed);
    if (decides_alone && !failed_.load(std::memory_order_relaxed)) {
      InlineWaiter waiter;
      if (auto pushed = queue_.push(write, waiter); !pushed) return std::unexpected(std::move(pushed.error()));
      drive();
      const bool must_flush = log_->has_unwritten() && !flush_is_planned_.load(std::memory_order_relaxed);
      driving.unlock();
      if (queue_.has_completions() || must_flush) wake();
      if (waiter.outcome()) return std::move(*waiter.outcome());
      return concord::fail(Errc::internal, "a write was not answered by its own turn", true);
    }
  }
  const auto waiter = std::make_shared<BlockedWaiter>();
  waiter->hold();
  if (auto pushed = queue_.push(write, *waiter); !pushed) {
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

void Runtime::drive_if_free() {
  if (queue_.is_empty()) return;
  std::unique_lock driving(drive_mutex_, std::try_to_lock);
  if (!driving) return;
  drive();
  driving.unlock();
  wake();  // completions, and what is not written yet
}

void Runtime::write_async(const Write& write, milliseconds timeout, Completion<command::Outcome> done) {
  const std::uint64_t deadline_ms =
      clock_->coarse_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(timeout.count(), 0));
  if (auto pushed = queue_.push(write, done, deadline_ms); !pushed) {
    done(std::unexpected(std::move(pushed.error())));
    return;
  }
  wake();
}

// ---------------------------------------------------------------------------------------------------------------------
// The replica thread.

void Runtime::wake() {
  // The thread says that it sleeps, then looks for work; here work was put first, then this is read. All of it is
  // sequentially consistent, so one of the two sees the other.
  if (!sleeping_.load(std::memory_order_seq_cst)) return;
  {
    const std::lock_guard lock(wake_mutex_);
    if (wake_requested_) return;
    wake_requested_ = true;
  }
  wake_condition_.notify_one();
}

void Runtime::run() {
  bool must_flush = false;
  std::uint64_t flush_at_ms = 0;
  std::uint64_t until_due = never_ms;
  for (;;) {
    {
      const Driving driving(*this);
      drive();
      const std::uint64_t now_ms = clock_->coarse_ms();
      if (!failed_.load(std::memory_order_relaxed)) {
        if (now_ms >= next_tick_ms_) {
          if (auto done = tick(now_ms); !done) fail(done.error());
          drive();
        } else if (until_due_ms() == 0) {
          propose_due();
          drive();
        }
        until_due = until_due_ms();
        if (!must_flush && log_->has_unwritten()) {
          must_flush = true;
          flush_is_planned_.store(true, std::memory_order_relaxed);
          flush_at_ms = now_ms + static_cast<std::uint64_t>(options_.flush_interval.count());
        }
        if (must_flush && now_ms >= flush_at_ms) {
          must_flush = false;
          flush_is_planned_.store(false, std::memory_order_relaxed);
          if (auto done = log_->flush(); !done) fail(done.error());
        }
      }
    }
    call_completions();
    std::unique_lock lock(wake_mutex_);
    if (stopping_) return;
    sleeping_.store(true, std::memory_order_seq_cst);
    if (queue_.is_empty() && !queue_.has_completions() && !wake_requested_ && until_due > 0) {
      const std::uint64_t now_ms = clock_->coarse_ms();
      const auto heartbeat_ms = static_cast<std::uint64_t>(options_.heartbeat.count());
      std::uint64_t until_ms = now_ms + std::min(heartbeat_ms, until_due);
      if (must_flush) until_ms = std::min(until_ms, std::max(flush_at_ms, now_ms + 1));
      wake_condition_.wait_for(lock, milliseconds(until_ms - now_ms), [this] { return wake_requested_ || stopping_; });
    }
    wake_requested_ = false;
    sleeping_.store(false, std::memory_order_seq_cst);
    if (stopping_) return;
  }
}

void Runtime::call_completions() {
  std::vector<CompletionCall> calls;
  while (queue_.take_completions(calls)) {
    for (CompletionCall& call : calls) {
      try {
        if (!options_.executor) {
          call.done(std::move(call.outcome));
        } else {
          options_.executor([call = std::move(call)]() mutable { call.done(std::move(call.outcome)); });
        }
      } catch (...) {  // the host's code; its exception is not the end of the node
        say(LogLevel::error, "a completion or the executor threw");
      }
    }
  }
}

void Runtime::close(milliseconds limit) {
  std::call_once(closed_, [&] {
    queue_.close(Error(Errc::cluster_not_ready, "the node is stopping"));
    const auto give_up_at = std::chrono::steady_clock::now() + limit;
    while (!queue_.is_idle() && std::chrono::steady_clock::now() < give_up_at) {
      wake();
      std::this_thread::sleep_for(milliseconds(1));
    }
    {
      const std::lock_guard lock(background_mutex_);
      background_stopping_ = true;
    }
    background_condition_.notify_all();
    {
      const std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_condition_.notify_all();
    if (replica_thread_.joinable()) replica_thread_.join();
    if (background_thread_.joinable()) background_thread_.join();
    {
      const Driving driving(*this);
      queue_.fail_all(Error(Errc::timeout, "the node has stopped; whether the write happens is unknown", true),
                      Error(Errc::cluster_not_ready, "the node has stopped"));
    }
    call_completions();  // without the lock: they may call again
    const Driving driving(*this);
    serving_.store(false, std::memory_order_release);
    if (!failed_.load(std::memory_order_relaxed)) {
      if (auto done = log_->close(); !done) say(LogLevel::error, "closing the log: " + done.error().message());
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads and state.

Result<void> Runtime::check_readable(ReadConsistency consistency) const {
  // A sole voter needs nobody's word that it still leads, so `strong` is `leader` here.
  if (consistency == ReadConsistency::eventual || serving_.load(std::memory_order_acquire)) return {};
  return concord::fail(Errc::cluster_not_ready, "no leader is known");
}

base::ClusterTimeMs Runtime::now_ms() const noexcept {
  return static_cast<base::ClusterTimeMs>(static_cast<std::int64_t>(clock_->monotonic_ms()) +
                                          cluster_minus_monotonic_ms_.load(std::memory_order_relaxed));
}

std::optional<Error> Runtime::failure() const {
  const std::lock_guard lock(error_mutex_);
  return failure_;
}

std::optional<Error> Runtime::refuses_writes() const {
  const std::lock_guard lock(error_mutex_);
  return failure_ ? failure_ : full_error_;
}

Status Runtime::status() const {
  Status status;
  status.node = options_.name;
  status.version = concord::version;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - opened_at_);
  const log::Identity& identity = directory_->identity();
  ClusterStatus& cluster = status.cluster;
  cluster.id = identity.cluster.value();
  cluster.name = "concord";
  const bool is_leader = static_cast<raft::Role>(role_.load(std::memory_order_relaxed)) == raft::Role::leader;
  if (is_leader) cluster.leader = options_.name;
  cluster.state = failed_.load(std::memory_order_acquire) ? NodeState::failed
                  : is_leader                             ? NodeState::leader
                                                          : NodeState::follower;
  cluster.term = term_.load(std::memory_order_relaxed);
  cluster.commit_index = commit_.load(std::memory_order_relaxed);
  cluster.applied_index = applied_index_.load(std::memory_order_relaxed);
  cluster.members.push_back({.name = options_.name,
                             .id = identity.node.value(),
                             .peer = {},
                             .api = {},
                             .voter = true,
                             .healthy = !failed_.load(std::memory_order_acquire),
                             .match_index = cluster.commit_index});
  StorageStatus& storage = status.storage;
  storage.size = state().size();
  storage.memory_bytes = state().memory_bytes();
  storage.revision = state().revision();
  storage.snapshot_index = snapshot_index_.load(std::memory_order_relaxed);
  storage.log_bytes = log_bytes_.load(std::memory_order_relaxed);
  storage.data_dir_free_bytes = files_->free_bytes(directory_->path()).value_or(0);
  if (const auto refusal = refuses_writes()) {
    storage.writable = false;
    storage.reason = refusal->message();
  }
  return status;
}

void Runtime::say(LogLevel level, const std::string& line) const {
  if (options_.log) options_.log(level, line);
}

}  // namespace concord::node
