// Driving the replica: what happens with the drive lock held.
#include <algorithm>
#include <exception>
#include <utility>

#include "base/check.hpp"
#include "base/mutant.hpp"
#include "node/runtime.hpp"

namespace concord::node {

namespace {

/// A time in whole milliseconds may be so much behind.
constexpr std::uint64_t clock_rounding_ms = 1;

/// Entries proposed in one turn: bounds what one write to the log holds.
constexpr std::size_t turn_bytes = 8U << 20U;
/// Over a stop the wall clock counts, by the newest stamp: a step of the wall clock is written down soon (CONTRACT 2).
constexpr std::int64_t wall_step_ms = 500;

/// A store takes the line away from those who read it, also when it changes nothing.
void note_if_changed(std::atomic<bool>& noted, bool now) noexcept {
  if (noted.load(std::memory_order_relaxed) != now) noted.store(now, std::memory_order_release);
}

}  // namespace

void Runtime::drive() noexcept {
  if (stopped_.load(std::memory_order_relaxed)) return;
  try {
    if (failed_.load(std::memory_order_relaxed)) {
      if (cluster_) refuse_inputs(*failure());
      reads_.fail_all(*failure());
      return;
    }
    if (auto done = drive_turns(); !done) fail(done.error());
  } catch (const std::exception& e) {  // a broken invariant, or no memory left: nothing after it can be trusted
    fail(Error(Errc::internal, e.what()));
  }
}

Result<void> Runtime::drive_turns() {
  for (;;) {
    if (auto begun = cluster_ ? begin_cluster_turn() : propose_queued(); !begun) return begun;
    if (!replica_->has_work()) return {};
    if (auto done = turn(); !done) return done;
  }
}

Result<void> Runtime::begin_cluster_turn() {
  if (auto taken = take_inputs(); !taken) return taken;
  // Alone among its peers it decides as a node without any: whoever pushes a write drives it through at once.
  const bool decides_alone = replica_->is_sole_voter() && serving_.load(std::memory_order_relaxed);
  if (auto passed = decides_alone && cluster_->taken.is_empty() ? propose_queued() : pass_on_queued(); !passed) {
    return passed;
  }
  if (auto asked = ask_read_points(); !asked) return asked;
  return step_changes();
}

Result<void> Runtime::propose_queued() {
  std::size_t proposed_bytes = 0;
  std::size_t proposed_count = 0;
  while (proposed_bytes < turn_bytes && (std::exchange(has_batch_, false) || queue_.take(batch_))) {
    traced_.note_taken(batch_);
    if (!serving_.load(std::memory_order_relaxed)) {
      queue_.refuse(batch_, Error(Errc::cluster_not_ready, "no leader is known"));
      continue;
    }
    // All that is proposed in a turn is one write to the log.
    if (auto room = reserve(proposed_bytes + batch_.size_bytes(), proposed_count + 1); !room) {
      if (room.error().code() != Errc::storage_full) return room;
      queue_.refuse(batch_, room.error());
      continue;
    }
    const auto result = replica_->propose(batch_.stamped(stamp_now()));
    if (!result) return std::unexpected(result.error());
    if (*result == raft::ProposeResult::accepted) {
      if (times_.follows_next()) times_.note_proposed(replica_->raft_status().last);
      proposed_bytes += batch_.size_bytes();
      ++proposed_count;
    } else {
      const bool is_lost = *result == raft::ProposeResult::not_leader;
      queue_.refuse(batch_, is_lost ? Error(Errc::cluster_not_ready, "this node no longer leads")
                                    : Error(Errc::overloaded, "too much is uncommitted"));
    }
  }
  return {};
}

Result<void> Runtime::turn() {
  replica_->state().look_further();
  auto persist = replica_->begin_turn();
  if (!persist) return std::unexpected(std::move(persist.error()));
  bool sends_at_once = true;
  if (cluster_) {
    if (!persist->snapshot) {
      auto done = apply_committed();
      if (!done) return std::unexpected(std::move(done.error()));
      sends_at_once = *done;
    }
    if (sends_at_once)
      send(persist->messages);  // before the disk: followers write at the same time (raft thesis 10.2.1)
    answer_applied();
  }
  if (persist->snapshot) {
    if (persist->hard_state) hard_state_ = *std::exchange(persist->hard_state, std::nullopt);
    if (auto installed = install_snapshot(*persist->snapshot); !installed) return installed;
  }
  if (!persist->entries.empty() || persist->hard_state) {
    // Who forgets a vote gives another one in the same term, and then two lead in it: whatever a write is promised, this is durable
    // before the vote is sent.
    bool must_sync = options_.durability == Durability::disk && persist->must_sync;
    if (persist->hard_state) {
      const bool is_vote =
          persist->hard_state->term != hard_state_.term || persist->hard_state->vote != hard_state_.vote;
      must_sync |= cluster_ && is_vote && !CONCORD_MUTANT("a-vote-is-sent-before-it-is-durable");
      hard_state_ = *persist->hard_state;
    }
    // What is applied is committed: a restart then knows how far it may replay without asking raft.
    hard_state_.commit = std::max(hard_state_.commit, replica_->applied_index());
    if (auto done = log_->append(persist->entries, hard_state_); !done) return done;
    const bool is_alone_and_hasty = CONCORD_MUTANT("a-sole-voter-commits-before-its-disk") && replica_->is_sole_voter();
    const bool is_hasty_follower =
        CONCORD_MUTANT("a-follower-acknowledges-before-its-disk") && cluster_ && !replica_->is_serving_leader();
    if (must_sync && !is_alone_and_hasty && !is_hasty_follower) {
      traced_.begin_sync();
      const auto sync = times_.measure_sync();
      if (auto done = log_->sync(); !done) return done;
      traced_.end_sync();
    }
  }
  times_.begin_apply();
  traced_.begin_apply();
  auto finished = replica_->finish_turn(applied_);
  if (!finished) return std::unexpected(std::move(finished.error()));
  times_.end_apply(applied_, replica_->applied_index());
  if (cluster_) {
    if (!sends_at_once) send(persist->messages);
    send(finished->persisted_messages);
    send(finished->messages);
  }
  note_progress();
  answer_applied();
  if (cluster_) after_cluster_turn(*finished);
  return {};
}

/// What a quorum has acknowledged is applied before this node's disk has what comes next, and before anybody is told that it is
/// committed: a follower that is told may answer its client, and that client then finds its write at the leader. Whether that was all.
Result<bool> Runtime::apply_committed() {
  if (CONCORD_MUTANT("a-commit-is-told-before-it-is-applied")) return true;
  times_.begin_apply();
  traced_.begin_apply();
  auto is_all = replica_->apply_committed(applied_);
  if (!is_all || replica_->applied_index().value() == applied_index_.load(std::memory_order_relaxed)) return is_all;
  times_.end_apply(applied_, replica_->applied_index());
  note_progress();
  return is_all;
}

void Runtime::answer_applied() {
  if (applied_.empty()) return;
  if (!traced_.is_empty()) [[unlikely]] {
    const log::Identity identity = directory_->identity();
    traced_.end_apply(applied_, identity.node, identity.incarnation);
  }
  if (cluster_) cluster_->awaited.observe(applied_);
  queue_.answer(applied_);
  applied_.clear();
}

void Runtime::note_applied() {
  const std::uint64_t applied = replica_->applied_index().value();
  applied_index_.store(applied, std::memory_order_release);
  note_if_changed(has_applied_, applied != 0);
}

/// Before the answers: who is answered may look at once.
void Runtime::note_progress() {
  const raft::RaftStatus status = replica_->raft_status();
  term_.store(status.term.value(), std::memory_order_relaxed);
  commit_.store(status.commit.value(), std::memory_order_relaxed);
  role_.store(static_cast<std::uint8_t>(status.role), std::memory_order_relaxed);
  note_applied();
  times_.note_role(status.role);
  note_if_changed(sole_voter_, replica_->is_sole_voter());
  const bool serves = replica_->is_serving_leader(status) && !is_unsure_of_time();
  if (cluster_ && serves && !serving_.load(std::memory_order_relaxed))
    cluster_->next_beat_ms = 0;  // followers wait for it
  note_if_changed(serving_, serves);
  if (replica_->applied_index() >= snapshot_wanted_at_ || log_->appended_bytes() >= snapshot_wanted_bytes_)
    request_snapshot();
  // What is not on the disk yet when a segment is full, a write waits for: no segment goes on before the one before is durable.
  if (options_.durability != Durability::disk && log_->appended_bytes() >= sync_wanted_bytes_) {
    sync_wanted_bytes_ = log_->appended_bytes() + appended_a_sync_bytes;
    request_sync();
  }
}

void Runtime::fail(const Error& error) noexcept {
  const bool is_defect = error.code() == Errc::internal;
  const Error reason(is_defect ? Errc::internal : Errc::storage_failed, error.message());
  {
    const base::MutexLock lock(error_mutex_);
    if (failure_) return;
    failure_ = reason;
  }
  failed_.store(true, std::memory_order_release);
  if (cluster_) serving_.store(false, std::memory_order_release);  // others may lead by now
  queue_.fail_all(Error(reason.code(), reason.message(), true), reason);
  reads_.fail_all(reason);
  if (cluster_) refuse_waiting(reason);
  times_.note_failure();
  say(LogLevel::error, "the node has failed and accepts no more writes: " + reason.message());
  wake();
}

/// Room in the log. Without it the node is full until there is as much: what is smaller may still fit and changes nothing about that.
Result<void> Runtime::reserve(std::uint64_t data_bytes, std::size_t entry_count) {
  if (CONCORD_MUTANT("a-full-disk-is-found-while-writing")) return {};
  auto room = log_->reserve(data_bytes, entry_count);
  const bool is_full = full_.load(std::memory_order_relaxed);
  if (!room && room.error().code() == Errc::storage_full) {
    full_for_bytes_ = std::min<std::uint64_t>(data_bytes, segment_bytes_);
    full_for_entries_ = entry_count;
    set_full(room.error());
  } else if (room && is_full && data_bytes >= full_for_bytes_) {
    set_full(std::nullopt);
  }
  return room;
}

void Runtime::set_full(std::optional<Error> full) {
  const bool is_full = full.has_value();
  const std::string line =
      full ? "no space left, writes are refused: " + full->message() : std::string("there is space again");
  full_.store(is_full, std::memory_order_relaxed);
  {
    const base::MutexLock lock(error_mutex_);
    if (std::exchange(full_error_, std::move(full)).has_value() == is_full) return;
  }
  say(LogLevel::warn, line);  // without the lock: the host's log may ask how the node is
}

replica::HostTime Runtime::host_time() const noexcept {
  return {.monotonic_ms = clock_->monotonic_ms(), .wall_ms = clock_->wall_ms()};
}

/// Of an entry made now: never behind what is applied, whatever the clocks say.
command::EntryStamp Runtime::stamp_now() const {
  command::EntryStamp stamp = cluster_clock_.stamp(host_time());
  stamp.cluster_time_ms = std::max(stamp.cluster_time_ms, replica_->state().cluster_time_ms());
  return stamp;
}

/// Every heartbeat interval.
Result<void> Runtime::tick(std::uint64_t now_ms) {
  const auto interval_ms = static_cast<std::uint64_t>(options_.heartbeat.count());
  next_tick_ms_ = now_ms + interval_ms;
  if (auto done = replica_->tick(); !done) return done;
  if (auto done = log_->check(); !done) return done;  // the background's failures have nobody else who finds them
  const replica::HostTime host = host_time();
  cluster_minus_monotonic_ms_.store(
      static_cast<std::int64_t>(cluster_clock_.at(host)) - static_cast<std::int64_t>(host.monotonic_ms),
      std::memory_order_relaxed);
  log_bytes_.store(log_->size_bytes(), std::memory_order_relaxed);
  replica_->state().tidy();
  if (!traced_.is_empty()) traced_.forget_before(queue_.first_pending());
  if (full_.load(std::memory_order_relaxed)) {
    if (auto room = reserve(full_for_bytes_, full_for_entries_); !room && room.error().code() != Errc::storage_full) {
      return room;
    }
  }
  propose_due();
  if (!cluster_) return {};
  if (auto done = tick_cluster(now_ms); !done) return done;
  wish_for_what_is_due();
  return {};
}

void Runtime::propose_due(std::uint64_t most_keys) {
  if (!may_expire() || is_expiring() || CONCORD_MUTANT("what-has-expired-stays")) return;
  const store::StateMachine& state = replica_->state();
  const auto due_ms = state.next_due();
  if (!due_ms) return;
  const command::EntryStamp stamp = stamp_now();
  const std::int64_t drift_ms = stamp.wall_offset_ms - state.wall_offset_ms();
  // A deadline counts from a stamp in whole milliseconds, which was up to one behind the true time. So that no key is gone before
  // its time has passed (CONTRACT 2), it is due one millisecond later.
  const base::ClusterTimeMs passed_ms = stamp.cluster_time_ms - std::min(stamp.cluster_time_ms, clock_rounding_ms);
  if (*due_ms <= passed_ms || drift_ms > wall_step_ms || drift_ms < -wall_step_ms) {
    constexpr std::uint64_t expire_deadline_ms = 1000;
    expire_sequence_ = queue_.push_expire(passed_ms, most_keys, clock_->coarse_ms() + expire_deadline_ms);
  }
}

/// The last expire command is on its way: whatever is due now may be gone with it.
bool Runtime::is_expiring() const { return expire_sequence_ != 0 && !queue_.is_settled(expire_sequence_); }

bool Runtime::may_expire() const noexcept {
  return serving_.load(std::memory_order_relaxed) && !full_.load(std::memory_order_relaxed) &&
         !failed_.load(std::memory_order_relaxed);
}

/// After a start among others, as long as one of them may still say what time it is: what such a leader stamps would move the time of
/// all to where its own wall clock is.
bool Runtime::is_unsure_of_time() const noexcept { return cluster_ && cluster_clock_.is_guessed(); }

std::uint64_t Runtime::until_due_ms() const {
  const auto due_ms = replica_->state().next_due();
  if (!due_ms || !may_expire() || is_expiring()) return never_ms;
  const base::ClusterTimeMs now_ms = cluster_clock_.at(host_time());
  const std::uint64_t due_by_clock_ms = *due_ms + clock_rounding_ms;
  return due_by_clock_ms > now_ms ? due_by_clock_ms - now_ms : 0;
}

}  // namespace concord::node
