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
//       replica.apply_committed(applied);                           // allowed before the disk, and before who hears of the commit
//       send(persist.messages); answer(applied);                    // allowed before the disk
//       if (persist.snapshot) { make its file durable; log.restart_after(...); replica.install(its state); }
//       log.append(persist.entries, persist.hard_state); if (persist.must_sync) log.sync();
//       TurnResult done = *replica.finish_turn(applied);            // applies what is committed
//       send(done.persisted_messages); send(done.messages);
//       answer(applied, done.read_states);
//     }
//
// Recovery, before the first turn: load a snapshot into `state()`, `replay` the log's entries in order, `start`.
//
// Errors: any error means that this replica can't go on: the node is failed for good. Thread rule: one thread at a time; the
// reader side of `state()` from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/log_entry.hpp"
#include "raft/raft_node.hpp"
#include "replica/membership.hpp"
#include "store/state_machine.hpp"

namespace concord::replica {

struct Config {
  raft::Config raft;
  Membership initial_members;  ///< of a cluster whose log is still empty; none: the node waits to be added to one
  /// Entries kept in memory behind the applied index, for followers that lag; also over a restart. A sole voter needs none.
  std::uint64_t mirror_entries = 10'000;
  std::uint64_t mirror_bytes = 64U << 20U;
};

struct PersistRequest {
  std::span<const raft::Message> messages;
  std::optional<raft::SnapshotView> snapshot;  ///< replaces log and state; before the entries
  std::span<const base::EntryView> entries;
  std::optional<base::HardState> hard_state;
  bool must_sync = false;
};

/// The digest of the state behind an entry, the same on every replica.
struct StateDigest {
  base::Index index;
  std::uint64_t digest = 0;
};
/// Noted at every so many entries.
inline constexpr std::uint64_t digest_interval = 1000;

struct TurnResult {
  std::span<const raft::Message> persisted_messages;  ///< send first
  std::span<const raft::Message> messages;
  std::span<const raft::ReadState> read_states;
  std::span<const StateDigest> digests;
  bool role_changed = false;  ///< role or leader: who waits for a read point asks again
  bool members_changed = false;
};

class Replica {
 public:
  Replica(const Config& config, std::unique_ptr<store::StateMachine> state);

  // --- recovery --------------------------------------------------------------------------------------------------------
  /// The members as of the loaded snapshot. Precondition: before `replay`; not called without a snapshot.
  void restore_members(Membership members);
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
  /// Adds or changes `member` as voter or learner, or removes it. Only one change at a time; `dropped` while one is under way.
  Result<raft::ProposeResult> propose_change(raft::ConfChangeKind kind, const Member& member);
  /// Asks for a linearizable read point; `context` is new in this process's life (reliability 29).
  Result<raft::ProposeResult> read_index(std::uint64_t context) { return raft_->read_index(context); }
  Result<void> transfer_leader(base::NodeId to) { return raft_->transfer_leader(to); }
  Result<void> peer_restarted(base::NodeId node) { return raft_->peer_restarted(node); }
  Result<void> forget_leader() { return raft_->forget_leader(); }
  Result<void> report_unreachable(base::NodeId node) { return raft_->report_unreachable(node); }
  Result<void> report_snapshot(base::NodeId node, bool delivered) { return raft_->report_snapshot(node, delivered); }
  /// A durable snapshot that may be sent to followers.
  Result<void> offer_snapshot(base::Index index, base::Term term, const Membership& members);

  // --- a turn ----------------------------------------------------------------------------------------------------------
  [[nodiscard]] bool has_work() const noexcept { return raft_->has_ready(); }
  Result<PersistRequest> begin_turn();
  /// Applies what is committed already, up to a change of members. It is durable here since an earlier turn. A leader does so
  /// before it sends `PersistRequest::messages`: they tell followers of the commit, and whom a follower then answers may come to the
  /// leader next. Precondition: in a turn without a snapshot, once.
  /// Whether that was all.
  Result<bool> apply_committed(std::vector<store::Applied>& applied);
  /// Between the halves of a turn whose request has a snapshot: the state it names.
  Result<void> install(std::unique_ptr<store::LoadedState> loaded);
  /// Precondition: what `begin_turn` asked for is durable. Appends to `applied` what each command of the newly committed
  /// entries did, but for those of `apply_committed`.
  Result<TurnResult> finish_turn(std::vector<store::Applied>& applied);

  // --- state -----------------------------------------------------------------------------------------------------------
  [[nodiscard]] store::StateMachine& state() noexcept { return *state_; }
  [[nodiscard]] const store::StateMachine& state() const noexcept { return *state_; }
  [[nodiscard]] const Membership& members() const noexcept { return members_; }
  [[nodiscard]] bool is_sole_voter() const noexcept { return sole_voter_; }
  /// Leads, and has applied an entry of its own term: only then is its applied state the leader's (raft thesis 6.4).
  [[nodiscard]] bool is_serving_leader() const noexcept { return is_serving_leader(raft_status()); }
  /// `status`: raft's of now.
  [[nodiscard]] bool is_serving_leader(const raft::RaftStatus& status) const noexcept;
  [[nodiscard]] raft::RaftStatus raft_status() const noexcept { return raft_->status(); }
  [[nodiscard]] std::vector<raft::PeerProgress> progress() const { return raft_->progress(); }
  [[nodiscard]] base::Index applied_index() const noexcept { return state_->applied_index(); }

 private:
  Result<void> apply(std::span<const base::EntryView> entries, std::size_t applied_count,
                     std::vector<store::Applied>& applied);
  Result<void> apply_one(const base::EntryView& entry, std::vector<store::Applied>& applied);
  Result<void> apply_change(const base::EntryView& entry);
  Result<void> make_raft();
  Result<void> compact_mirror();
  [[nodiscard]] base::Index needed_after() const;
  void note_snapshots(std::span<const raft::Message> messages);
  void set_members(Membership members);

  Config config_;
  std::unique_ptr<store::StateMachine> state_;
  std::optional<raft::RaftNode> raft_;
  Membership members_;       // Invariant: as of the applied index
  bool sole_voter_ = false;  // members_ holds one voter, this node, and nobody else
  base::HardState replayed_hard_state_;
  base::Index replayed_index_;  // Invariant: last entry given to `replay`, or the applied index
  base::Term replayed_term_;
  std::vector<store::Applied> replay_applied_;
  // Of the turn under way.
  raft::ReadyBatch ready_;
  raft::AdvanceBatch advanced_;
  bool in_turn_ = false;
  std::size_t applied_early_ = 0;                       // of ready_.committed
  std::map<base::NodeId, base::Index> sent_snapshots_;  // the last to each
  bool members_changed_ = false;                        // in the turn under way
  std::vector<StateDigest> digests_;                    // of the turn under way
  std::uint64_t turns_since_look_ = 0;                  // of `compact_mirror`
};

}  // namespace concord::replica
