// Driving a replica that has peers: what comes in, what goes out, time. Its writes: drive_writes.cpp. With the drive lock held.
#include <algorithm>
#include <functional>
#include <utility>

#include "log/received_snapshot.hpp"
#include "node/runtime.hpp"

namespace concord::node {

using base::NodeId;
using raft::ProposeResult;
using raft::Role;

namespace {

/// Of what came in, so much goes into one turn.
constexpr std::size_t turn_input_bytes = 8U << 20U;
/// An append of raft that is no larger carries no entry.
constexpr std::size_t empty_append_bytes = 64;
/// Followers ask for votes one after the other when their leader has gone, so that they don't split them.
constexpr std::uint64_t campaign_step_ms = 40;
/// So often before they go by the election timeout again.
constexpr int hinted_campaigns = 4;
/// Writes and reads wait for a new leader so many election timeouts; nearly every election is over by then.
constexpr std::int64_t patience_timeouts = 3;
/// A read point that did not come: its messages may be lost.
constexpr std::uint64_t read_attempt_heartbeats = 6;
/// A disk that had no room for something large may have it for entries of so many bytes.
constexpr std::size_t small_append_bytes = 64U << 10U;

/// What an input may do wrong without harm to this replica.
Result<void> tolerate(Result<void> done) {
  if (done) return done;
  const Errc code = done.error().code();
  if (code == Errc::invalid_request || code == Errc::cluster_not_ready) return {};
  return done;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Inputs.

Result<void> Runtime::take_inputs() {
  ClusterState& cluster = *cluster_;
  std::size_t bytes = 0;
  if (cluster.next_input == cluster.inputs.size()) {
    cluster.next_input = 0;
    if (!cluster.inbox.take(cluster.inputs)) return {};
  }
  cluster.incoming_bytes = 0;
  while (cluster.next_input < cluster.inputs.size() && bytes < turn_input_bytes) {
    Input& input = cluster.inputs[cluster.next_input++];
    if (const auto* message = std::get_if<RaftMessage>(&input)) bytes += message->bytes.size();
    auto taken = std::visit([this](auto& one) ABSL_EXCLUSIVE_LOCKS_REQUIRED(drive_mutex_) { return take(one); }, input);
    if (!taken) return taken;
  }
  return {};
}

/// Who waits for anything but a write or a read is told, for good.
void Runtime::refuse_waiting(const Error& error) {
  ClusterState& cluster = *cluster_;
  refuse_inputs(error);
  for (PendingChange& change : std::exchange(cluster.changes, {})) answer_change(change, std::unexpected(error));
  for (ForwardedBatch& batch : std::exchange(cluster.held_forwards, {})) batch.done(std::unexpected(error));
  cluster.awaited.fail_all(Error(Errc::timeout, error.message(), true));  // they were proposed
  std::vector<ChangeWanted> retries;
  {
    const base::MutexLock lock(cluster.mutex);
    retries.swap(cluster.retries);
  }
  for (ChangeWanted& wanted : retries) {
    if (wanted.done) wanted.done(std::unexpected(error));
  }
}

/// Of a failed node: who asks is told, and nothing piles up.
void Runtime::refuse_inputs(const Error& error) {
  ClusterState& cluster = *cluster_;
  cluster.inputs.clear();
  cluster.next_input = 0;
  std::vector<Input> inputs;
  if (!cluster.inbox.take(inputs)) return;
  for (Input& input : inputs) {
    if (auto* batch = std::get_if<ForwardedBatch>(&input)) batch->done(std::unexpected(error));
    if (auto* snapshot = std::get_if<SnapshotArrived>(&input)) snapshot->taken(std::unexpected(error));
    if (auto* wanted = std::get_if<ChangeWanted>(&input); wanted != nullptr && wanted->done) {
      wanted->done(wanted->made ? Result<replica::Member>(std::move(*wanted->made)) : std::unexpected(error));
    }
  }
}

Result<void> Runtime::take(RaftMessage& message) {
  const bool has_entries =
      raft::message_kind(message.bytes) == raft::MessageKind::append && message.bytes.size() > empty_append_bytes;
  if (has_entries) {
    // A full disk takes no entries; the leader then knows that this node lags, as if the message had been lost.
    const std::size_t bytes = cluster_->incoming_bytes + message.bytes.size();
    if (auto room = reserve(bytes, bytes / least_entry_bytes); !room) {
      if (room.error().code() != Errc::storage_full) return room;
      return {};
    }
    cluster_->incoming_bytes = bytes;
  }
  // Another asks for votes already: to ask too would split them.
  if (const std::uint64_t due_ms = campaign_at_ms_.load(std::memory_order_relaxed);
      due_ms != 0 && raft::message_kind(message.bytes) == raft::MessageKind::vote_request) {
    campaign_at_ms_.store(std::max(due_ms, clock_->coarse_ms() + 2 * campaign_step_ms), std::memory_order_relaxed);
  }
  const bool leads = static_cast<Role>(role_.load(std::memory_order_relaxed)) == Role::leader;
  // Who asks for votes has not heard of this leader, and says nothing for it.
  if (leads && raft::message_kind(message.bytes) == raft::MessageKind::answer) {
    const std::uint64_t now_ms = clock_->coarse_ms();
    cluster_->heard_ms[message.from] = now_ms;
    extend_lease(now_ms);
  }
  return tolerate(replica_->receive(message.from, message.bytes));
}

/// A leader has heard of a quorum when the median of its voters has last spoken; it itself speaks now.
void Runtime::extend_lease(std::uint64_t now_ms) {
  const NodeId self = directory_->identity().node;
  std::vector<std::uint64_t>& times = cluster_->quorum_times;
  times.clear();
  for (const NodeId voter : replica_->members().conf.voters) {
    const auto heard = cluster_->heard_ms.find(voter);
    times.push_back(voter == self ? now_ms : heard == cluster_->heard_ms.end() ? 0 : heard->second);
  }
  const auto quorum_th = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, quorum_th, std::greater());
  if (*quorum_th == 0) return;
  lease_until_ms_.store(*quorum_th + static_cast<std::uint64_t>(options_.election_timeout.count()),
                        std::memory_order_relaxed);
}

Result<void> Runtime::take(SnapshotArrived& snapshot) {
  // Its log begins anew with a segment of its own; a full disk takes the snapshot when it is sent again.
  if (auto room = reserve(segment_bytes_, 0); !room) {
    discard(snapshot);
    snapshot.taken(room);
    if (room.error().code() != Errc::storage_full) return room;
    return {};
  }
  const auto received = replica_->receive(snapshot.from, snapshot.message);
  const raft::RaftStatus status = replica_->raft_status();
  // It may be behind what is here, or of a leader that leads no more; and then the one that raft waits for may have come before.
  const bool is_wanted =
      snapshot.file.index == status.pending_snapshot && snapshot.file.term == status.pending_snapshot_term;
  auto taken = std::exchange(snapshot.taken, nullptr);
  if (is_wanted) {
    if (cluster_->arrived && cluster_->arrived->file.path != snapshot.file.path) discard(*cluster_->arrived);
    cluster_->arrived = std::move(snapshot);
  } else {
    discard(snapshot);
  }
  taken(received);
  return tolerate(received);
}

void Runtime::discard(SnapshotArrived& snapshot) {
  snapshot.state.reset();
  if (auto removed = files_->remove(snapshot.file.path); !removed && removed.error().code() != Errc::not_found) {
    say(LogLevel::warn, "a snapshot that is not wanted stays until the next start: " + removed.error().message());
  }
}

Result<void> Runtime::take(SnapshotSent& sent) { return tolerate(replica_->report_snapshot(sent.to, sent.delivered)); }

Result<void> Runtime::take(PeerLost& lost) {
  const raft::RaftStatus status = replica_->raft_status();
  if (status.role == Role::leader) return tolerate(replica_->report_unreachable(lost.peer));
  const replica::Membership& members = replica_->members();
  const NodeId self = directory_->identity().node;
  if (status.leader != lost.peer) return {};
  // Its process has gone: nobody waits for an election timeout. Who asks first follows from the term, the same on every node.
  if (auto forgotten = replica_->forget_leader(); !forgotten) return forgotten;
  if (!members.is_voter(self)) return {};
  std::vector<NodeId> order = members.conf.voters;
  std::erase(order, lost.peer);
  std::ranges::sort(order);
  if (order.empty()) return {};
  std::ranges::rotate(order, order.begin() + static_cast<std::ptrdiff_t>(status.term.value() % order.size()));
  const auto rank = static_cast<std::uint64_t>(std::ranges::find(order, self) - order.begin());
  cluster_->rank = rank;
  cluster_->campaigns_left = hinted_campaigns;
  campaign_at_ms_.store(clock_->coarse_ms() + rank * campaign_step_ms, std::memory_order_relaxed);
  if (rank > 0) wake();
  return rank == 0 ? campaign_if_due(clock_->coarse_ms()) : Result<void>();
}

Result<void> Runtime::take(PeerConnected& connected) {
  // A follower is not ready before its leader has said how far it is.
  if (replica_->raft_status().role == Role::leader) cluster_->next_beat_ms = 0;
  return connected.was_restarted ? tolerate(replica_->peer_restarted(connected.peer)) : Result<void>();
}

Result<void> Runtime::campaign_if_due(std::uint64_t now_ms) {
  const std::uint64_t due_ms = campaign_at_ms_.load(std::memory_order_relaxed);
  if (due_ms == 0 || due_ms > now_ms) return {};
  campaign_at_ms_.store(0, std::memory_order_relaxed);
  const raft::RaftStatus status = replica_->raft_status();
  if (!status.leader.is_zero() || status.role == Role::leader) return {};
  // Votes may be split all the same; who asks again first differs then too.
  if (cluster_->campaigns_left > 0) {
    --cluster_->campaigns_left;
    campaign_at_ms_.store(now_ms + (cluster_->rank + 2) * campaign_step_ms, std::memory_order_relaxed);
  }
  return tolerate(replica_->campaign());
}

Result<void> Runtime::take(BeatHeard& heard) {
  ClusterState& cluster = *cluster_;
  const raft::RaftStatus status = replica_->raft_status();
  const bool is_of_leader = heard.beat.leads && heard.beat.term == status.term && status.role != Role::leader;
  if (!heard.beat.is_guess && (is_of_leader || cluster_clock_.is_guessed())) {
    cluster_clock_.follow(heard.beat.cluster_time_ms, host_time());
  } else if (heard.beat.is_guess && cluster_clock_.is_guessed()) {
    cluster.time_poll.hear(heard.from, heard.beat.cluster_time_ms, host_time().monotonic_ms);
  }
  settle_time(status);
  if (is_of_leader) {
    const base::MutexLock lock(cluster.mutex);
    cluster.seen_leader = heard.from;
    cluster.seen_term = heard.beat.term;
    cluster.seen_states.clear();
    for (const Beat::MemberState& member : heard.beat.members) cluster.seen_states[member.id] = member;
  }
  if (heard.beat.full) {
    cluster.full_members.insert(heard.from);
  } else {
    cluster.full_members.erase(heard.from);
  }
  if (!replica_->members().is_voter(heard.from)) return {};
  const std::uint64_t now_ms = clock_->coarse_ms();
  cluster.digests.hear(heard.from, heard.beat.digest_index, heard.beat.digest, now_ms);
  const auto problem = cluster.digests.contradiction(
      {.voters = replica_->members().conf.voters, .self = directory_->identity().node, .leader = status.leader},
      now_ms);
  if (problem) return concord::fail(Errc::internal, *problem);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads.

Result<void> Runtime::ask_read_points() {
  if (reads_.is_empty()) return {};
  const raft::RaftStatus status = replica_->raft_status();
  const bool leads = status.role == Role::leader;
  reads_.looked();
  if (status.leader.is_zero() || (leads && !serving_.load(std::memory_order_relaxed))) return {};
  const std::uint64_t context = reads_.begin_attempt(clock_->coarse_ms());
  if (leads && replica_->is_sole_voter()) {
    reads_.observe({.context = context, .index = replica_->applied_index()});
    reads_.settle(replica_->applied_index());
    return {};
  }
  const auto asked = replica_->read_index(context);
  if (!asked) return std::unexpected(asked.error());
  if (*asked != ProposeResult::accepted) reads_.withdraw(context);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Turns.

/// Entries that their receiver has no room for; it says so every half second, and that there is room again. raft would send as many as
/// fit a message at every heartbeat: on a slow network these hold up the heartbeats of all, and others are elected again and again.
bool Runtime::is_in_vain(const raft::Message& message) const {
  return message.bytes.size() > small_append_bytes && cluster_->full_members.contains(message.to) &&
         raft::message_kind(message.bytes) == raft::MessageKind::append;
}

void Runtime::send(std::span<const raft::Message> messages) {
  for (const raft::Message& message : messages) {
    if (!message.is_snapshot) {
      if (!is_in_vain(message)) cluster_->peers->send(message);
      continue;
    }
    const auto offered = std::ranges::find(offered_snapshots_, message.snapshot_index, &log::SnapshotFileInfo::index);
    if (offered == offered_snapshots_.end()) {
      cluster_->inbox.put(SnapshotSent{.to = message.to, .delivered = false});
      continue;
    }
    const bool is_begun =
        cluster_->peers->send_snapshot(message.to, offered->path, offered->index, offered->term, message.bytes);
    if (!is_begun) continue;
    say(LogLevel::info, "sending the snapshot of index " + std::to_string(message.snapshot_index.value()) + " to " +
                            name_of(message.to));
  }
}

/// What a leader sent replaces log and state. The file is durable; the log says so before the file gets its name (recovery.cpp).
Result<void> Runtime::install_snapshot(const raft::SnapshotView& snapshot) {
  auto& arrived = cluster_->arrived;
  if (!arrived || arrived->file.index != snapshot.index || arrived->file.term != snapshot.term) {
    return concord::fail(Errc::internal, "raft wants a snapshot that has not come");
  }
  hard_state_.commit = snapshot.index;
  hard_state_.term = std::max(hard_state_.term, snapshot.term);
  if (auto done = log_->restart_after(snapshot.index, hard_state_); !done) return done;
  auto file = log::take_received(*files_, arrived->file);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto done = replica_->install(std::move(arrived->state)); !done) return done;
  if (host_.history) host_.history->reset(replica_->state().revision());  // what lies between did not come here
  arrived.reset();
  queue_.fail_taken(
      Error(Errc::timeout, "this node fell behind and got a snapshot; whether the write happened is unknown", true));
  cluster_->taken.drop_settled(queue_);
  snapshot_index_.store(file->index.value(), std::memory_order_relaxed);
  note_offered(*file);
  times_.note_installed(measured_size(file->path));
  say(LogLevel::info,
      "the snapshot of index " + std::to_string(snapshot.index.value()) + " from the leader is in place");
  return {};
}

void Runtime::after_cluster_turn(const replica::TurnResult& result) {
  ClusterState& cluster = *cluster_;
  const raft::RaftStatus status = replica_->raft_status();
  const store::StateMachine& state = replica_->state();
  if (result.role_changed || status.term != cluster.term || status.leader != cluster.leader) note_role(status);
  settle_time(status);
  if (result.members_changed) note_members();  // before the reads: who has got its answer may ask for the leader's name
  for (const raft::ReadState& read : result.read_states) reads_.observe(read);
  reads_.settle(replica_->applied_index());
  // While more is due the next one follows at once; nobody else looks before the next tick.
  if (expire_sequence_ != 0 && !is_expiring()) {
    expire_sequence_ = 0;
    propose_due();
  }
  cluster.taken.observe(state.applied_term());
  cluster.taken.drop_settled(queue_);
  for (const replica::StateDigest& at : result.digests) cluster.digests.note(at.index, at.digest);
  cluster_clock_.observe(state.cluster_time_ms(), host_time());  // a leader too: it applies what others stamped before
  // While one is written no other is wanted (background.cpp).
  if (status.snapshot_wanted && snapshot_wanted_at_ != base::Index(~std::uint64_t{0})) request_snapshot();
}

/// Role, leader or term changed.
void Runtime::note_role(const raft::RaftStatus& status) {
  ClusterState& cluster = *cluster_;
  const bool is_new_leader = status.leader != cluster.leader;
  cluster.term = status.term;
  cluster.leader = status.leader;
  reads_.restart();
  // Who is elected has just heard of a quorum.
  cluster.heard_ms.clear();
  lease_until_ms_.store(clock_->coarse_ms() + static_cast<std::uint64_t>(options_.election_timeout.count()),
                        std::memory_order_relaxed);
  cluster.forwarded.begin_term(status.term);
  cluster.awaited.fail_all(Error(Errc::timeout, "leadership has changed; whether the write happens is unknown", true));
  if (status.role != Role::leader) {
    for (ForwardedBatch& batch : std::exchange(cluster.held_forwards, {})) {
      batch.done(concord::fail(Errc::cluster_not_ready, "this node no longer leads"));
    }
  }
  if (status.leader.is_zero()) {
    if (cluster.leaderless_since_ms == 0) cluster.leaderless_since_ms = clock_->coarse_ms();
  } else {
    cluster.leaderless_since_ms = 0;
    campaign_at_ms_.store(0, std::memory_order_relaxed);
  }
  leader_.store(status.leader.value(), std::memory_order_release);
  cluster.leading_since_ms = status.role == Role::leader ? clock_->coarse_ms() : 0;
  cluster.peers->set_leader(status.leader);
  if (!status.leader.is_zero()) cluster.next_beat_ms = 0;  // it may not know what time it is
  if (!is_new_leader) return;
  say(LogLevel::info, status.leader.is_zero()
                          ? "no leader in term " + std::to_string(status.term.value())
                          : name_of(status.leader) + " leads in term " + std::to_string(status.term.value()));
}

/// A snapshot that followers may be sent.
void Runtime::note_offered(const log::SnapshotFileInfo& file) {
  constexpr std::size_t kept = 2;  // raft may still speak of the one before
  if (offered_snapshots_.size() == kept) offered_snapshots_.erase(offered_snapshots_.begin());
  offered_snapshots_.push_back(file);
}

void Runtime::note_members() {
  ClusterState& cluster = *cluster_;
  const replica::Membership& members = replica_->members();
  cluster.peers->set_members(members);
  {
    const base::MutexLock lock(cluster.mutex);
    cluster.members = members;
  }
  if (!members.was_removed(directory_->identity().node) || removed_.load(std::memory_order_relaxed)) return;
  say(LogLevel::error, "this node was removed from its cluster");
  removed_.store(true, std::memory_order_release);
}

// ---------------------------------------------------------------------------------------------------------------------
// Time.

Result<void> Runtime::tick_cluster(std::uint64_t now_ms) {
  ClusterState& cluster = *cluster_;
  if (removed_.load(std::memory_order_relaxed) && !directory_->identity().removed) {
    if (auto marked = directory_->mark_removed(*files_); !marked) return marked;
  }
  {
    const base::MutexLock lock(cluster.mutex);
    for (ChangeWanted& wanted : cluster.retries) {
      if (auto taken = take(wanted); !taken) return taken;
    }
    cluster.retries.clear();
  }
  // A forward whose answer was lost is made again: its leader knows what it has.
  for (const std::uint64_t first : std::exchange(cluster.unanswered, {})) {
    if (TakenBatches::Taken* taken = cluster.taken.find(first)) taken->must_repeat = true;
  }
  const auto patience_ms = static_cast<std::uint64_t>(options_.heartbeat.count()) * read_attempt_heartbeats;
  reads_.restart_older_than(now_ms - std::min(now_ms, patience_ms));
  if (full_.load(std::memory_order_relaxed)) {
    reads_.refuse_older_than(now_ms - std::min(now_ms, patience_ms),
                             Error(Errc::cluster_not_ready,
                                   "this node's disk is full and it has fallen behind the leader; ask another member"));
  }
  refuse_without_leader(now_ms);
  settle_time(replica_->raft_status());
  if (now_ms >= cluster.next_beat_ms) send_beat(now_ms);
  return {};
}

/// Writes and reads wait for a leader, but not for ever: nothing was done with them.
void Runtime::refuse_without_leader(std::uint64_t now_ms) {
  ClusterState& cluster = *cluster_;
  const auto patience_ms = static_cast<std::uint64_t>(patience_timeouts * options_.election_timeout.count());
  if (cluster.leaderless_since_ms == 0 || now_ms < cluster.leaderless_since_ms + patience_ms) return;
  const Error error(Errc::cluster_not_ready,
                    "no leader is known, for " + std::to_string(now_ms - cluster.leaderless_since_ms) + " ms now");
  for (TakenBatches::Taken& taken : cluster.taken.all()) {
    if (!taken.term.is_zero()) continue;
    taken.term = cluster.term;
    queue_.refuse(taken.batch, error);
  }
  cluster.taken.drop_settled(queue_);
  reads_.fail_all(error);
}

/// A leader that only guesses what time it is serves once that is settled: when one who knows has said so, when all have said that they
/// guess, or an election timeout after it was elected.
void Runtime::settle_time(const raft::RaftStatus& status) {
  if (status.role != Role::leader) return;
  ClusterState& cluster = *cluster_;
  if (cluster_clock_.is_guessed()) {
    const replica::HostTime host = host_time();
    const bool is_over =
        clock_->coarse_ms() >= cluster.leading_since_ms + static_cast<std::uint64_t>(options_.election_timeout.count());
    const auto decided = cluster.time_poll.verdict(replica_->members().conf.voters, directory_->identity().node,
                                                   cluster_clock_.at(host), host.monotonic_ms, is_over);
    if (!decided) return;
    cluster_clock_.settle(*decided, host);
  }
  if (!serving_.load(std::memory_order_relaxed)) note_progress();
}

void Runtime::send_beat(std::uint64_t now_ms) {
  constexpr std::uint64_t beat_interval_ms = 500;
  ClusterState& cluster = *cluster_;
  // Who guesses is in a hurry: it may be the one that a leader waits for.
  cluster.next_beat_ms = cluster_clock_.is_guessed() ? now_ms : now_ms + beat_interval_ms;
  const raft::RaftStatus status = replica_->raft_status();
  Beat beat{.term = status.term,
            .leads = serving_.load(std::memory_order_relaxed),
            .is_guess = cluster_clock_.is_guessed(),
            .full = full_.load(std::memory_order_relaxed),
            .cluster_time_ms = cluster_clock_.at(host_time()),
            .applied = replica_->applied_index(),
            .digest_index = {},
            .digest = 0};
  if (const auto told = cluster.digests.to_tell(status.leader)) {
    beat.digest_index = told->index;
    beat.digest = told->digest;
  }
  if (status.role == Role::leader) {
    const auto health = cluster.peers->health();
    beat.members.push_back({.id = directory_->identity().node, .match = status.last, .heard_ms = 0});
    for (const raft::PeerProgress& peer : replica_->progress()) {
      const auto found = health.find(peer.node);
      beat.members.push_back({.id = peer.node,
                              .match = peer.match,
                              .heard_ms = found == health.end() ? ~std::uint64_t{0} : found->second.silent_ms});
    }
    const base::MutexLock lock(cluster.mutex);
    cluster.seen_states.clear();
    for (const Beat::MemberState& member : beat.members) cluster.seen_states[member.id] = member;
  }
  cluster.peers->beat(beat);
}

std::string Runtime::name_of(NodeId node) const {
  const replica::Member* const member = replica_->members().find(node);
  return member == nullptr || member->name.empty() ? "node " + std::to_string(node.value()) : '"' + member->name + '"';
}

}  // namespace concord::node
