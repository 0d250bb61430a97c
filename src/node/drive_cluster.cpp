// Driving a replica that has peers: what comes in, and where writes and reads go. With the drive lock held.
#include <algorithm>
#include <functional>
#include <utility>

#include "command/entry.hpp"
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
/// An entry takes at least so much of an append: bounds how many there are.
constexpr std::size_t least_entry_bytes = 8;
/// Followers ask for votes one after the other when their leader has gone, so that they don't split them.
constexpr std::uint64_t campaign_step_ms = 40;
/// So often before they go by the election timeout again.
constexpr int hinted_campaigns = 4;
/// Writes and reads wait for a new leader so many election timeouts; nearly every election is over by then.
constexpr std::int64_t patience_timeouts = 3;
/// A read point that did not come: its messages may be lost.
constexpr std::uint64_t read_attempt_heartbeats = 6;

/// What an input may do wrong without harm to this replica.
Result<void> tolerate(Result<void> done) {
  if (done) return done;
  const Errc code = done.error().code();
  if (code == Errc::invalid_request || code == Errc::cluster_not_ready) return {};
  return done;
}

/// What the leader refused for good: sending it again would change nothing. Only of a batch that was sent once: a refusal of
/// the second time says nothing of the first.
bool is_decided(Errc code) {
  return code == Errc::overloaded || code == Errc::storage_full || code == Errc::storage_failed ||
         code == Errc::invalid_request || code == Errc::batch_too_large || code == Errc::value_too_large;
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
    auto taken = std::visit([this](auto& one) { return take(one); }, input);
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
  cluster.awaited.fail_all(error);
  std::vector<ChangeWanted> retries;
  {
    const std::lock_guard lock(cluster.mutex);
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
    if (auto* wanted = std::get_if<ChangeWanted>(&input); wanted != nullptr && wanted->done) {
      wanted->done(std::unexpected(error));
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
  if (static_cast<Role>(role_.load(std::memory_order_relaxed)) == Role::leader) {
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
    if (room.error().code() != Errc::storage_full) return room;
    return {};
  }
  const NodeId from = snapshot.from;
  const std::string message = snapshot.message;
  cluster_->arrived = std::move(snapshot);
  return tolerate(replica_->receive(from, message));
}

Result<void> Runtime::take(SnapshotSent& sent) { return tolerate(replica_->report_snapshot(sent.to, sent.delivered)); }

Result<void> Runtime::take(PeerLost& lost) {
  const raft::RaftStatus status = replica_->raft_status();
  if (status.role == Role::leader) return tolerate(replica_->report_unreachable(lost.peer));
  const replica::Membership& members = replica_->members();
  const NodeId self = directory_->identity().node;
  if (status.leader != lost.peer || !members.is_voter(self)) return {};
  // Its process has gone: nobody waits for an election timeout. Who asks first follows from the term, the same on every node.
  if (auto forgotten = replica_->forget_leader(); !forgotten) return forgotten;
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

Result<void> Runtime::take(PeerRestarted& restarted) { return tolerate(replica_->peer_restarted(restarted.peer)); }

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
  if (!heard.beat.is_guess) cluster_clock_.follow(heard.beat.cluster_time_ms, host_time());
  if (heard.beat.leads && heard.beat.term == status.term && status.role != Role::leader) {
    const std::lock_guard lock(cluster.mutex);
    cluster.seen_states.clear();
    for (const Beat::MemberState& member : heard.beat.members) cluster.seen_states[member.id] = member;
  }
  if (heard.beat.full) {
    cluster.full_members.insert(heard.from);
  } else {
    cluster.full_members.erase(heard.from);
  }
  if (!replica_->members().is_voter(heard.from)) return {};
  cluster.digests.hear(heard.from, heard.beat.digest_index, heard.beat.digest);
  const auto problem = cluster.digests.contradiction(replica_->members().conf.voters.size(), status.leader);
  if (problem) return concord::fail(Errc::internal, *problem);
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes.

Result<void> Runtime::pass_on_queued() {
  ClusterState& cluster = *cluster_;
  while (queue_.take(batch_)) cluster.taken.add(std::exchange(batch_, Batch()));
  const bool serves = serving_.load(std::memory_order_relaxed);
  if (serves && !cluster.held_forwards.empty()) {
    for (ForwardedBatch& batch : std::exchange(cluster.held_forwards, {})) {
      if (auto done = propose_forwarded(batch); !done) return done;
    }
  }
  if (cluster.taken.is_empty()) return {};
  const raft::RaftStatus status = replica_->raft_status();
  const bool leads = status.role == Role::leader;
  const std::uint64_t now_ms = clock_->coarse_ms();
  std::size_t proposed_bytes = 0;
  for (TakenBatches::Taken& taken : cluster.taken.all()) {
    const bool is_new = taken.term.is_zero();
    if (!is_new && !(taken.must_repeat && taken.term == status.term)) continue;
    if (is_new && taken.batch.deadline_ms() < now_ms) {
      taken.term = status.term;  // not looked at again
      queue_.refuse(taken.batch,
                    Error(Errc::timeout, "the deadline passed before a leader could be asked; nothing was done", true));
      continue;
    }
    if (serves && is_new) {
      const auto go_on = propose_taken(taken, proposed_bytes);
      if (!go_on) return std::unexpected(go_on.error());
      if (!*go_on) break;
    } else if (!leads && !status.leader.is_zero()) {
      forward_taken(taken);
    }
  }
  cluster.taken.drop_settled(queue_);
  return {};
}

/// What is proposed while so many members have no room on their disks would be committed only when they have.
std::optional<Error> Runtime::most_are_full() const {
  const std::set<NodeId>& full = cluster_->full_members;
  if (full.empty()) return std::nullopt;
  const std::vector<NodeId>& voters = replica_->members().conf.voters;
  const auto without_room = std::ranges::count_if(voters, [&](NodeId voter) { return full.contains(voter); });
  if (voters.size() - static_cast<std::size_t>(without_room) > voters.size() / 2) return std::nullopt;
  return Error(Errc::storage_full, "the disks of " + std::to_string(without_room) + " of " +
                                       std::to_string(voters.size()) + " members are full");
}

/// False: no more can be proposed now.
Result<bool> Runtime::propose_taken(TakenBatches::Taken& taken, std::size_t& proposed_bytes) {
  Batch& batch = taken.batch;
  proposed_bytes += batch.size_bytes();
  const raft::RaftStatus status = replica_->raft_status();
  if (auto room = reserve(cluster_->incoming_bytes + proposed_bytes, 64); !room) {
    if (room.error().code() != Errc::storage_full) return std::unexpected(std::move(room.error()));
    taken.term = status.term;
    queue_.refuse(batch, room.error());
    return true;
  }
  if (const auto problem = most_are_full()) {
    taken.term = status.term;
    queue_.refuse(batch, *problem);
    return true;
  }
  const auto result = replica_->propose(batch.stamped(stamp_now()));
  if (!result) return std::unexpected(result.error());
  if (*result == ProposeResult::accepted) {
    taken.term = status.term;
    taken.is_answered = true;
    return true;
  }
  // Leadership goes to another node: it gets this batch then.
  if (*result == ProposeResult::not_leader || !status.transferee.is_zero()) return false;
  taken.term = status.term;
  queue_.refuse(batch, Error(Errc::overloaded, "too much is uncommitted"));
  return true;
}

void Runtime::forward_taken(TakenBatches::Taken& taken) {
  const raft::RaftStatus status = replica_->raft_status();
  taken.term = status.term;
  taken.must_repeat = false;
  ++taken.sends;
  cluster_->peers->forward(status.leader,
                           {.term = status.term,
                            .incarnation = directory_->identity().incarnation,
                            .settled_below = queue_.first_pending(),
                            .first_sequence = taken.batch.first_sequence(),
                            .count = taken.batch.count(),
                            .awaits_outcomes = full_.load(std::memory_order_relaxed)},
                           taken.batch.commands());
}

Result<void> Runtime::take(ForwardedBatch& batch) {
  const raft::RaftStatus status = replica_->raft_status();
  if (status.role != Role::leader || status.term != batch.head.term) {
    batch.done(concord::fail(Errc::cluster_not_ready, "this node does not lead in that term"));
    return {};
  }
  if (!serving_.load(std::memory_order_relaxed)) {
    cluster_->held_forwards.push_back(std::move(batch));
    return {};
  }
  return propose_forwarded(batch);
}

Result<void> Runtime::propose_forwarded(ForwardedBatch& batch) {
  ClusterState& cluster = *cluster_;
  const raft::RaftStatus status = replica_->raft_status();
  if (status.role != Role::leader || status.term != batch.head.term) {
    batch.done(concord::fail(Errc::cluster_not_ready, "this node does not lead in that term"));
    return {};
  }
  if (cluster.forwarded.contains(batch.from, batch.head)) {
    batch.done({});
    return {};
  }
  std::string entry;
  entry.reserve(batch.commands.size() + 32);
  command::begin_entry(entry, stamp_now());
  entry += batch.commands;
  if (const auto problem = problem_of_commands(entry, batch)) {
    batch.done(std::unexpected(*problem));
    return {};
  }
  cluster.incoming_bytes += entry.size();
  if (auto room = reserve(cluster.incoming_bytes, cluster.incoming_bytes / least_entry_bytes); !room) {
    if (room.error().code() != Errc::storage_full) return room;
    batch.done(std::unexpected(std::move(room.error())));
    return {};
  }
  if (auto problem = most_are_full()) {
    batch.done(std::unexpected(std::move(*problem)));
    return {};
  }
  const auto result = replica_->propose(entry);
  if (!result) return std::unexpected(result.error());
  if (*result == ProposeResult::accepted) {
    cluster.forwarded.add(batch.from, batch.head);
    if (batch.head.awaits_outcomes) {
      batch.commands.clear();
      cluster.awaited.add(std::move(batch));
    } else {
      batch.done({});
    }
  } else if (*result == ProposeResult::not_leader || !status.transferee.is_zero()) {
    batch.done(concord::fail(Errc::cluster_not_ready, "leadership goes to another node"));
  } else {
    batch.done(concord::fail(Errc::overloaded, "too much is uncommitted"));
  }
  return {};
}

/// An entry that can't be read would stop every replica: what a peer sends is looked through first.
std::optional<Error> Runtime::problem_of_commands(std::string_view entry, const ForwardedBatch& batch) {
  command::EntryReader reader(entry);
  command::Command command;
  std::uint64_t count = 0;
  while (reader.next(command)) {
    const bool is_its_own = command.request.node == batch.from &&
                            command.request.incarnation == batch.head.incarnation &&
                            command.request.sequence == batch.head.first_sequence + count;
    if (!is_its_own) return Error(Errc::invalid_request, "a forwarded write under another node's name");
    ++count;
  }
  if (!reader.ok() || count != batch.head.count)
    return Error(Errc::invalid_request, "a forwarded batch that can't be read");
  return std::nullopt;
}

Result<void> Runtime::take(ForwardAnswered& answer) {
  TakenBatches::Taken* const taken = cluster_->taken.find(answer.first_sequence);
  if (taken == nullptr || taken->term != answer.term) return {};
  if (answer.result) {
    taken->is_answered = true;
    if (!answer.result->empty()) take_outcomes(*taken, *answer.result);
  } else if (taken->sends == 1 && is_decided(answer.result.error().code())) {
    queue_.refuse(taken->batch, answer.result.error());
    cluster_->taken.drop_settled(queue_);
  } else {
    cluster_->unanswered.push_back(answer.first_sequence);  // again with the next tick
  }
  return {};
}

/// What the leader has applied and this node has not: its own apply will find it answered.
void Runtime::take_outcomes(const TakenBatches::Taken& taken, std::string_view bytes) {
  auto outcomes = decode_outcomes(bytes);
  if (!outcomes || outcomes->size() != taken.batch.count()) return;
  const log::Identity& self = directory_->identity();
  std::vector<store::Applied> applied;
  for (command::Outcome& outcome : *outcomes) {
    applied.push_back({.request = {.node = self.node,
                                   .incarnation = self.incarnation,
                                   .sequence = taken.batch.first_sequence() + applied.size()},
                       .outcome = std::move(outcome)});
  }
  queue_.answer(applied);
  cluster_->taken.drop_settled(queue_);
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

void Runtime::send(std::span<const raft::Message> messages) {
  for (const raft::Message& message : messages) {
    if (!message.is_snapshot) {
      cluster_->peers->send(message);
      continue;
    }
    const auto offered = std::ranges::find(offered_snapshots_, message.snapshot_index, &log::SnapshotFileInfo::index);
    if (offered == offered_snapshots_.end()) {
      cluster_->inbox.put(SnapshotSent{.to = message.to, .delivered = false});
      continue;
    }
    say(LogLevel::info, "sending the snapshot of index " + std::to_string(message.snapshot_index.value()) + " to " +
                            name_of(message.to));
    cluster_->peers->send_snapshot(message.to, offered->path, offered->index, offered->term, message.bytes);
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
  arrived.reset();
  queue_.fail_taken(
      Error(Errc::timeout, "this node fell behind and got a snapshot; whether the write happened is unknown", true));
  cluster_->taken.drop_settled(queue_);
  snapshot_index_.store(file->index.value(), std::memory_order_relaxed);
  note_offered(*file);
  say(LogLevel::info,
      "the snapshot of index " + std::to_string(snapshot.index.value()) + " from the leader is in place");
  return {};
}

void Runtime::after_cluster_turn(const replica::TurnResult& result) {
  ClusterState& cluster = *cluster_;
  const raft::RaftStatus status = replica_->raft_status();
  const store::StateMachine& state = replica_->state();
  if (result.role_changed || status.term != cluster.term || status.leader != cluster.leader) note_role(status);
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
  if (result.members_changed) note_members();
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
  cluster.peers->set_leader(status.leader);
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
    const std::lock_guard lock(cluster.mutex);
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
    const std::lock_guard lock(cluster.mutex);
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
    reads_.refuse_unreached(now_ms - std::min(now_ms, patience_ms),
                            Error(Errc::cluster_not_ready,
                                  "this node's disk is full and it has fallen behind the leader; ask another member"));
  }
  refuse_without_leader(now_ms);
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

void Runtime::send_beat(std::uint64_t now_ms) {
  constexpr std::uint64_t beat_interval_ms = 500;
  ClusterState& cluster = *cluster_;
  cluster.next_beat_ms = now_ms + beat_interval_ms;
  const raft::RaftStatus status = replica_->raft_status();
  Beat beat{.term = status.term,
            .leads = serving_.load(std::memory_order_relaxed),
            .is_guess = cluster_clock_.is_guessed(),
            .full = full_.load(std::memory_order_relaxed),
            .cluster_time_ms = cluster_clock_.at(host_time()),
            .applied = replica_->applied_index(),
            .digest_index = {},
            .digest = 0};
  if (const auto newest = cluster.digests.newest()) {
    beat.digest_index = newest->index;
    beat.digest = newest->digest;
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
    const std::lock_guard lock(cluster.mutex);
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
