// Who works: the node's own threads, or whoever steps a node without any.
#include <algorithm>
#include <exception>
#include <utility>

#include "node/runtime.hpp"

namespace concord::node {

using std::chrono::milliseconds;

namespace {

/// Whoever asks a node that has failed wakes it; else it has nothing to do any more.
constexpr std::uint64_t failed_idle_ms = 1000;

}  // namespace

void Runtime::start_threads() {
  if (search_) {
    place_thread_ = std::thread([this] {
      while (const auto pause = look_for_place(*search_)) {
        base::MutexLock lock(place_mutex_);
        if (place_condition_.wait_for(lock, *pause,
                                      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(place_mutex_) { return place_stopping_; }))
          return;
      }
    });
  }
  replica_thread_ = std::thread([this] { run(); });
  background_thread_ = std::thread([this] { run_background(); });
}

void Runtime::wake() {
  // The thread says that it sleeps, then looks for work; here work was put first, then this is read. All of it is
  // sequentially consistent, so one of the two sees the other.
  if (!sleeping_.load(std::memory_order_seq_cst)) return;
  {
    const base::MutexLock lock(wake_mutex_);
    if (wake_requested_) return;
    wake_requested_ = true;
  }
  wake_condition_.notify_one();
}

void Runtime::guarded(void (Runtime::*work)()) {
  try {
    (this->*work)();
  } catch (const std::exception& e) {
    const Driving driving(*this);
    fail(Error(Errc::internal, e.what()));
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The replica thread.

void Runtime::run() {
  for (;;) {
    guarded(&Runtime::pass);
    base::MutexLock lock(wake_mutex_);
    if (stopping_) return;
    sleeping_.store(true, std::memory_order_seq_cst);
    const std::uint64_t now_ms = clock_->coarse_ms();
    if (const std::uint64_t until_ms = idle_until_ms(); until_ms > now_ms && !wake_requested_) {
      (void)wake_condition_.wait_for(
          lock, milliseconds(until_ms - now_ms),
          [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(wake_mutex_) { return wake_requested_ || stopping_; });
    }
    wake_requested_ = false;
    sleeping_.store(false, std::memory_order_seq_cst);
    if (stopping_) return;
  }
}

/// Drives, ticks, proposes what is due, writes what is buffered, calls completions.
void Runtime::pass() {
  if (formed_.load(std::memory_order_acquire)) {
    const Driving driving(*this);
    drive();
    const std::uint64_t now_ms = clock_->coarse_ms();
    if (!failed_.load(std::memory_order_relaxed)) {
      if (auto done = campaign_if_due(now_ms); !done) fail(done.error());
      if (now_ms >= next_tick_ms_) {
        if (auto done = tick(now_ms); !done) fail(done.error());
        drive();
      } else if (until_due_ms() == 0) {
        propose_due();
        drive();
      }
      idling_.until_due_ms = until_due_ms();
      idling_.next_tick_ms = next_tick_ms_;
      flush_when_due(now_ms);
    }
  }
  if (failed_.load(std::memory_order_acquire)) fall_silent();
  call_completions();
}

/// What has failed is gone for the others: they neither count on it nor wait until they miss it. Not the driver's: that may be the peers'.
void Runtime::fall_silent() {
  if (!cluster_ || std::exchange(is_silent_, true)) return;
  cluster_->ask_peers([](Peers& peers) { peers.fall_silent(); });
}

void Runtime::flush_when_due(std::uint64_t now_ms) {
  if (!idling_.must_flush && log_->has_unwritten()) {
    idling_.must_flush = true;
    flush_is_planned_.store(true, std::memory_order_relaxed);
    idling_.flush_at_ms = now_ms + static_cast<std::uint64_t>(options_.flush_interval.count());
  }
  if (!idling_.must_flush || now_ms < idling_.flush_at_ms) return;
  idling_.must_flush = false;
  flush_is_planned_.store(false, std::memory_order_relaxed);
  if (auto done = log_->flush(); !done) fail(done.error());
}

/// The replica thread has nothing to do before; 0: there is something.
std::uint64_t Runtime::idle_until_ms() const {
  if (has_inputs() || queue_.has_completions()) return 0;
  const std::uint64_t now_ms = clock_->coarse_ms();
  if (failed_.load(std::memory_order_acquire)) return now_ms + failed_idle_ms;  // neither time nor the log goes on
  if (idling_.until_due_ms == 0) return 0;
  const auto heartbeat_ms = static_cast<std::uint64_t>(options_.heartbeat.count());
  const std::uint64_t tick_at_ms = std::clamp(idling_.next_tick_ms, now_ms + 1, now_ms + heartbeat_ms);
  std::uint64_t until_ms = std::min(tick_at_ms, now_ms + std::min(heartbeat_ms, idling_.until_due_ms));
  if (cluster_ && campaign_at_ms_.load(std::memory_order_relaxed) != 0) {
    until_ms = std::clamp(campaign_at_ms_.load(std::memory_order_relaxed), now_ms + 1, until_ms);
  }
  return idling_.must_flush ? std::min(until_ms, std::max(idling_.flush_at_ms, now_ms + 1)) : until_ms;
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

// ---------------------------------------------------------------------------------------------------------------------
// Without threads.

void Runtime::step() {
  const std::uint64_t now_ms = clock_->coarse_ms();
  if (now_ms >= next_search_ms_) {
    const auto pause = look_for_place(*search_);
    next_search_ms_ = pause ? now_ms + static_cast<std::uint64_t>(pause->count()) : never_ms;
  }
  {
    const base::MutexLock lock(wake_mutex_);
    wake_requested_ = false;
  }
  sleeping_.store(false, std::memory_order_relaxed);
  pass();
  sleeping_.store(true, std::memory_order_relaxed);
  if (now_ms >= next_look_ms_ || wants_snapshot()) {
    look_in_background();
    next_look_ms_ = now_ms + static_cast<std::uint64_t>(background_interval.count());
  }
  next_step_ms_ = std::min({idle_until_ms(), next_look_ms_, next_search_ms_});
}

bool Runtime::wants_snapshot() const {
  const base::MutexLock lock(background_mutex_);
  return snapshot_requested_;
}

bool Runtime::wants_step() const {
  if (wants_snapshot()) return true;
  const base::MutexLock lock(wake_mutex_);
  return wake_requested_;
}

}  // namespace concord::node
