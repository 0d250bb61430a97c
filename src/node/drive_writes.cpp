// Where writes go in a cluster: proposed here, passed on to the leader, or proposed for another member. With the drive lock held.
#include <algorithm>
#include <set>
#include <utility>

#include "command/entry.hpp"
#include "node/runtime.hpp"

namespace concord::node {

using base::NodeId;
using raft::ProposeResult;
using raft::Role;

namespace {

/// What the leader refused for good: sending it again would change nothing. Only of a batch that was sent once: a refusal of
/// the second time says nothing of the first.
bool is_decided(Errc code) {
  return code == Errc::overloaded || code == Errc::storage_full || code == Errc::storage_failed ||
         code == Errc::invalid_request || code == Errc::batch_too_large || code == Errc::value_too_large;
}

}  // namespace

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
    if (taken.batch.deadline_ms() < now_ms) {
      queue_.refuse(taken.batch,
                    Error(Errc::timeout, "the deadline has passed; whether the write happens is unknown", true));
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
    times_.note_proposed(replica_->raft_status().last);
    traced_.note_taken(batch);
    taken.term = status.term;
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
  if (!traced_.is_empty()) [[unlikely]] {
    ForwardTraces traces = traced_.note_forwarded(taken.batch);
    traces.incarnation = directory_->identity().incarnation;
    if (!traces.writes.empty()) cluster_->peers->tell_traces(status.leader, traces);
  }
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
  cluster.forwarded.begin_term(status.term);  // the turn that notes it may still be under way
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
    traced_.note_taken(batch.from, batch.head);
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

}  // namespace concord::node
