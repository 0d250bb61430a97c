// One raft participant: RAII over engine/engine.h.
//
// A pure machine. It does no I/O, reads no clock and draws no random number but from `Config::seed`: the same calls give the
// same answers on every machine. Time is `tick()`; the network is `step()` in and messages out; the disk is the batch
// between `ready()` and `advance()`.
//
// A turn:
//
//     node.tick() / step() / propose() / read_index() ...      as many inputs as are waiting
//     if (node.has_ready()) {
//       ReadyBatch batch = *node.ready();
//       send(batch.messages);                                  // at once: only a leader has any
//       persist(batch.snapshot, batch.entries, batch.hard_state); // in this order, one write; sync when batch.must_sync
//       send(batch.persisted_messages);                        // votes and acknowledgements: never before the sync
//       AdvanceBatch more = *node.advance();
//       send(more.messages);
//       apply(batch.committed); apply(more.committed);         // in this order; conf changes: see apply_conf_change
//       node.advance_apply(index of the last applied entry);
//     }
//
// Between `ready()` and `advance()` only const calls are allowed; the others are refused (Errc::internal) and change
// nothing. `ready()` itself puts the batch's snapshot, entries and hard state into the engine's mirror of the log (raft needs
// them readable before `advance`): a node that cannot persist a batch must stop using its RaftNode.
//
// Views. Everything both batches of a turn point to stays valid until the next `ready()` or `compact()` (or destruction);
// moving the RaftNode keeps views valid. In-going bytes are copied before the call returns.
//
// Errors. `Errc::invalid_request`: the arguments were refused and nothing changed. `Errc::internal`: a defect; when it comes
// from the engine, the engine is failed for good (`failed()`) and every later call answers the same. Nothing may be
// acknowledged after that.
//
// Thread rule: one thread at a time, const calls included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/log_entry.hpp"
#include "raft/conf_state.hpp"

struct engine_node;

namespace concord::raft {

using base::EntryView;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

struct Config {
  NodeId id;
  std::uint64_t seed = 0;  ///< of the election timeouts; nodes of one cluster may share it (the id is mixed in)
  std::uint32_t election_ticks = 10;  ///< a node campaigns after [election_ticks, 2 * election_ticks) silent ticks
  std::uint32_t heartbeat_ticks = 1;
  /// Entries of one append message; one entry always fits. With the number of messages: what is on its way to a peer at once, 16 MiB.
  /// A follower that catches up gets them one after the other, and neither the leader nor its disk has to do with more at a time.
  std::uint64_t max_size_per_message_bytes = 128U << 10U;
  std::uint64_t max_inflight_messages = 128;         ///< append messages unanswered, for each peer
  std::uint64_t max_uncommitted_bytes = 64U << 20U;  ///< a leader drops proposals beyond it; one always fits
  /// What one batch gives to apply; one entry always fits. As much as may be uncommitted: a leader has then applied what it tells.
  std::uint64_t max_committed_per_ready_bytes = 64U << 20U;
  std::uint64_t max_message_bytes = 128U << 20U;  ///< a peer message larger than this is refused
};

/// What was recovered from disk. A node that waits to be added to a running cluster gives zeros and no members.
///
/// A node that forms a cluster starts from the snapshot "empty state at index 1, term 1": hard_state {1, 0, 1}, applied 1,
/// compacted_index 1, compacted_term 1 and the initial members, the same on each of them. The initial members stand in no
/// entry, so a node that is added later must learn them from a snapshot; without entry 1 every leader has to send it one.
struct Start {
  HardState hard_state;
  ConfState conf_state;   ///< as of `applied`
  Index applied;          ///< index of the newest snapshot: the state machine stands there
  Index compacted_index;  ///< the entry before the first one that `append_initial` will give; 0: none is missing
  Term compacted_term;    ///< its term
};

enum class Role : std::uint8_t { follower = 0, pre_candidate = 1, candidate = 2, leader = 3 };

struct Message {
  NodeId to;
  bool is_snapshot = false;  ///< the application streams its snapshot first, then these bytes; then `report_snapshot`
  Index snapshot_index;      ///< of the snapshot to stream, when is_snapshot
  std::string_view bytes;
};

struct ReadState {
  std::uint64_t context = 0;
  Index index;  ///< the read may be served once this entry is applied
};

/// A snapshot's place in the log; `data` is opaque to raft and travels inside the message (keep it small).
struct SnapshotView {
  Index index;
  Term term;
  ConfState conf_state;
  std::string_view data;
};

struct ReadyBatch {
  std::span<const Message> messages;            ///< send now
  std::span<const EntryView> entries;           ///< persist; entry i replaces every stored entry from i on
  std::optional<HardState> hard_state;          ///< persist in the same write, behind the entries
  bool must_sync = false;                       ///< the write must be durable before `persisted_messages` leave
  std::optional<SnapshotView> snapshot;         ///< install before the entries; replaces the whole log up to its index
  std::span<const Message> persisted_messages;  ///< send once all of the above is durable
  std::span<const EntryView> committed;         ///< apply in order
  std::span<const ReadState> read_states;
  bool role_changed = false;  ///< role or leader changed: pending reads and waiters must be reviewed
};

struct AdvanceBatch {
  std::optional<Index> commit;           ///< new commit index; need not be synced
  std::span<const Message> messages;     ///< send now
  std::span<const EntryView> committed;  ///< apply after ReadyBatch::committed
};

enum class ProposeResult : std::uint8_t {
  accepted,    ///< in the local log; may still be lost: only `committed` tells
  not_leader,  ///< nothing was done
  dropped,     ///< nothing was done: too much is uncommitted, leadership is being transferred, or the leader is too new
};

enum class ConfChangeKind : std::uint8_t { add_voter = 0, remove_node = 1, add_learner = 2 };

/// One step of membership. add_voter promotes a learner; add_learner on a voter demotes it.
struct ConfChange {
  ConfChangeKind kind = ConfChangeKind::add_voter;
  NodeId node;
  std::string context;  ///< opaque to raft: name, address ...
};

enum class PeerState : std::uint8_t { probe = 0, replicate = 1, snapshot = 2 };

struct PeerProgress {
  NodeId node;
  Index match;
  Index next;
  PeerState state = PeerState::probe;
  bool recently_active = false;
  bool paused = false;  ///< raft sends it no entries for now
  bool is_learner = false;
};

struct RaftStatus {
  Role role = Role::follower;
  NodeId leader;  ///< 0: none known
  NodeId vote;
  Term term;
  Index commit;
  Index applied;
  Index first;  ///< first entry in the mirror; `last` + 1 when it holds none
  Index last;
  std::uint64_t log_bytes = 0;          ///< entry data in the mirror
  std::uint64_t uncommitted_bytes = 0;  ///< leader: proposed and not yet committed
  NodeId transferee;                    ///< 0: no leadership transfer under way
  Index pending_snapshot;               ///< follower: the next turn installs this one; 0: none
  Term pending_snapshot_term;
  bool pending_conf_change = false;  ///< leader: one is in the log and not yet applied
  bool snapshot_wanted = false;      ///< leader: a peer waits for a newer snapshot than set_snapshot gave
};

class RaftNode {
 public:
  // --- start ---------------------------------------------------------------------------------------------------------
  /// Refuses what cannot be (id 0, applied > commit, commit > last at `start`, ...) with Errc::invalid_request.
  static Result<RaftNode> create(const Config& config, const Start& start);
  /// The entries found in the log, in order, from compacted_index + 1. Before `start` only.
  Result<void> append_initial(const EntryView& entry);
  Result<void> start();

  RaftNode(RaftNode&&) noexcept;
  RaftNode& operator=(RaftNode&&) noexcept;
  ~RaftNode();

  // --- inputs --------------------------------------------------------------------------------------------------------
  Result<void> tick();
  /// Asks for votes now. A sole voter is leader when this returns. Refused on a node that is no voter.
  Result<void> campaign();
  Result<ProposeResult> propose(std::string_view data);
  /// Refused as `dropped` while another change is pending (raft would silently replace it by an empty entry).
  Result<ProposeResult> propose_conf_change(const ConfChange& change);
  /// For each committed entry of a conf_change type that is to take effect, after `advance` and before `advance_apply` of
  /// its index. Not to call it is to reject the change. Returns the members from here on: store them with this index.
  /// Errc::invalid_request, the same on every node, when the change cannot be (it would leave no voter): nothing changed.
  /// A leader that lost its vote steps down here.
  Result<ConfState> apply_conf_change(const EntryView& entry);
  /// `from` is the authenticated other end of the connection. Errc::invalid_request: refused, with the reason.
  Result<void> step(NodeId from, std::string_view message);
  /// Asks for a linearizable read point; `context` must be new in this process's life. The answer is a ReadState, or
  /// nothing when leadership changes (forget waiters when ReadyBatch::role_changed or the term moves). A follower asks its
  /// leader. not_leader: no leader is known; dropped: this leader has not yet committed in its term, ask again.
  Result<ProposeResult> read_index(std::uint64_t context);
  /// The answer of `read_index` without a turn, when no other node has a say: the sole voter, leading, with a commit in its
  /// term. Nothing otherwise. Allowed between ready() and advance().
  [[nodiscard]] std::optional<Index> read_point() const noexcept;
  /// Refused unless `to` is another voter. Proposals are dropped until it leads or an election timeout has passed.
  Result<void> transfer_leader(NodeId to);
  Result<void> report_unreachable(NodeId node);
  /// Must follow every Message with is_snapshot, or its receiver is never sent anything again.
  Result<void> report_snapshot(NodeId node, bool delivered);
  /// Leader: heartbeats now.
  Result<void> ping();
  /// Leader: the peer runs anew and may have lost what it acknowledged (modes `os` and `memory`). Else: no-op.
  Result<void> peer_restarted(NodeId node);
  /// A follower whose leader is known to be gone may vote for another before the election timeout has passed. Else: no-op.
  Result<void> forget_leader();

  // --- a turn --------------------------------------------------------------------------------------------------------
  [[nodiscard]] bool has_ready() const noexcept;
  Result<ReadyBatch> ready();
  /// The same where the batch is kept; after an error it holds nothing of use. So the next.
  Result<void> ready(ReadyBatch& batch);
  /// Everything in the batch is durable (or needs not be, when !must_sync).
  Result<AdvanceBatch> advance();
  Result<void> advance(AdvanceBatch& batch);
  /// All entries up to `index` are applied. Never back, never beyond what was handed out as committed.
  Result<void> advance_apply(Index index);

  // --- log mirror ----------------------------------------------------------------------------------------------------
  /// Forgets entries up to and including `up_to` (<= applied) and keeps the term of `up_to`. Less than before: no-op.
  Result<void> compact(Index up_to);
  /// The newest durable snapshot, to be offered to peers whose entries are compacted. Its index is <= applied. A peer is
  /// given only a snapshot that counts it as a member: after a node was added, a new one is due
  /// (RaftStatus::snapshot_wanted says when).
  Result<void> set_snapshot(Index index, Term term, const ConfState& conf_state, std::string_view data);
  /// Term of an entry in the mirror or of the compaction point; nothing otherwise.
  [[nodiscard]] std::optional<Term> term_at(Index index) const noexcept;

  // --- state ---------------------------------------------------------------------------------------------------------
  [[nodiscard]] RaftStatus status() const noexcept;
  /// Members as raft counts them now.
  [[nodiscard]] ConfState conf_state() const;
  /// Leader: one per other member, by id; empty elsewhere.
  [[nodiscard]] std::vector<PeerProgress> progress() const;
  [[nodiscard]] bool failed() const noexcept;
  [[nodiscard]] std::string failure() const;

 private:
  struct Views;
  struct Deleter {
    void operator()(engine_node* node) const noexcept;
  };

  explicit RaftNode(engine_node* node);

  std::unique_ptr<engine_node, Deleter> node_;
  std::unique_ptr<Views> views_;  // arrays behind the spans of the batches; reused from turn to turn
};

/// What may be told of a peer message without decoding it.
enum class MessageKind : std::uint8_t {
  append,        ///< carries entries, or a commit index
  snapshot,      ///< only valid behind the snapshot's own bytes
  vote_request,  ///< or the question whether one would be granted
  answer,        ///< of a follower to what a leader sent
  other,
};
[[nodiscard]] MessageKind message_kind(std::string_view message) noexcept;
/// Up to where a leader's append or heartbeat says that entries are committed; nothing of other messages. For checks.
[[nodiscard]] std::optional<Index> announced_commit(std::string_view message) noexcept;

/// What a conf_change entry says. Entries of type conf_change_v2 are never proposed by Concord and refused here.
Result<ConfChange> decode_conf_change(const EntryView& entry);

}  // namespace concord::raft
