// One replica as a pure machine: raft below, the state machine above, nothing else.
//
// It does no I/O and reads no clock: who drives it (node in production, sim in simulation) gives it ticks, messages and
// proposals, makes durable what it asks for, and passes on what it sends. The same inputs give the same outputs.
//
// A turn has two halves with the disk between them (reliability order of raft, DESIGN 5):
//
//     replica.propose(entry) / tick() / receive(...)
//     while (replica.has_work()) {
//       PersistRequest persist = *replica.begin_turn();
//       send(persist.messages);                                     // allowed before the disk
//       log.append(persist.entries, persist.hard_state); if (persist.must_sync) log.sync();
//       TurnResult done = *replica.finish_turn(applied);            // applies what is committed
//       send(done.messages);
//       answer(applied);
//     }
//
// Recovery, before the first turn: load a snapshot into `state()`, `replay` the log's entries in order, `start`.
//
// Errors: any error means that this replica can't go on: the node is failed for good. Thread rule: one thread at a time; the
// reader side of `state()` from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/log_entry.hpp"
#include "raft/raft_node.hpp"
#include "store/state_machine.hpp"

namespace concord::replica {

struct Config {
  raft::Config raft;
  raft::ConfState initial_members;  ///< of a cluster whose log is still empty
  /// Entries kept in memory behind the applied index, for followers that lag. A sole voter needs none.
  std::uint64_t mirror_entries = 10'000;
  std::uint64_t mirror_bytes = 64U << 20U;
};

struct PersistRequest {
  std::span<const raft::Message> messages;
  std::span<const base::EntryView> entries;
  std::optional<base::HardState> hard_state;
  bool must_sync = false;
};

struct TurnResult {
  std::span<const raft::Message> persisted_messages;  ///< send first
  std::span<const raft::Message> messages;
  bool role_changed = false;
};

class Replica {
 public:
  Replica(const Config& config, std::unique_ptr<store::StateMachine> state);

  // --- recovery --------------------------------------------------------------------------------------------------------
  /// The members as of the loaded snapshot. Precondition: before `replay`; not called without a snapshot.
  void restore_members(raft::ConfState members);
  /// Prepares for the log's entries from `state().applied_index() + 1` on. `hard_state` is the newest of the log.
  Result<void> begin_replay(const base::HardState& hard_state);
  /// The next entry of the log. Committed commands are applied at once; the rest waits in raft.
  Result<void> replay(const base::EntryView& entry);
  Result<void> start();

  // --- inputs ----------------------------------------------------------------------------------------------------------
  Result<void> tick() { return raft_->tick(); }
  Result<void> campaign() { return raft_->campaign(); }
  Result<void> receive(base::NodeId from, std::string_view message) { return raft_->step(from, message); }
  /// An entry's bytes (command/entry.hpp).
  Result<raft::ProposeResult> propose(std::string_view entry) { return raft_->propose(entry); }

  // --- a turn ----------------------------------------------------------------------------------------------------------
  [[nodiscard]] bool has_work() const noexcept { return raft_->has_ready(); }
  Result<PersistRequest> begin_turn();
  /// Precondition: what `begin_turn` asked for is durable. Appends to `applied` what each command of the newly committed
  /// entries did.
  Result<TurnResult> finish_turn(std::vector<store::Applied>& applied);

  // --- state -----------------------------------------------------------------------------------------------------------
  [[nodiscard]] store::StateMachine& state() noexcept { return *state_; }
  [[nodiscard]] const store::StateMachine& state() const noexcept { return *state_; }
  [[nodiscard]] const raft::ConfState& members() const noexcept { return members_; }
  [[nodiscard]] bool is_sole_voter() const noexcept { return sole_voter_; }
  /// Leads, and has applied an entry of its own term: only then is its applied state the leader's (raft thesis 6.4).
  [[nodiscard]] bool is_serving_leader() const noexcept;
  [[nodiscard]] raft::RaftStatus raft_status() const noexcept { return raft_->status(); }
  [[nodiscard]] std::vector<raft::PeerProgress> progress() const { return raft_->progress(); }
  [[nodiscard]] base::Index applied_index() const noexcept { return state_->applied_index(); }

 private:
  Result<void> apply(std::span<const base::EntryView> entries, std::vector<store::Applied>& applied);
  Result<void> apply_one(const base::EntryView& entry, std::vector<store::Applied>& applied);
  Result<void> make_raft();
  Result<void> compact_mirror();
  void set_members(raft::ConfState members);

  Config config_;
  std::unique_ptr<store::StateMachine> state_;
  std::optional<raft::RaftNode> raft_;
  raft::ConfState members_;  // Invariant: as of the applied index
  bool sole_voter_ = false;  // members_ holds one voter, this node, and nobody else
  base::HardState replayed_hard_state_;
  base::Index replayed_index_;  // Invariant: last entry given to `replay`, or the applied index
  base::Term replayed_term_;
  std::vector<store::Applied> replay_applied_;
  raft::ReadyBatch ready_;  // of the turn under way
  bool in_turn_ = false;
  std::uint64_t turns_since_look_ = 0;  // of `compact_mirror`
};

}  // namespace concord::replica
