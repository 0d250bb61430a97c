// What a runtime keeps beside the replica when its node may have peers. The driver's, but for what says otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "node/awaited_forwards.hpp"
#include "node/bootstrap.hpp"
#include "node/digests.hpp"
#include "node/finder.hpp"
#include "node/forwarded_here.hpp"
#include "node/input.hpp"
#include "node/peers.hpp"
#include "node/taken_batches.hpp"
#include "node/time_poll.hpp"

namespace concord::node {

/// A change of members that waits until it is so. `was_there`, `asked_in`: what its earlier steps did.
struct PendingChange {
  ChangeWanted wanted;
  bool was_there = false;
  base::Term asked_in = {};  ///< the term in which the leader was asked, or proposed; 0: nothing is under way
  std::string waits_for = {};
  bool is_handed_on = false;  ///< the leader was asked and will answer
  bool is_own = false;        ///< this node wished it by itself
};

/// An entry takes at least so much of what raft sends: bounds how many there are.
inline constexpr std::size_t least_entry_bytes = 8;

struct ClusterState {
  std::unique_ptr<Bootstrap> bootstrap;  // null: the members are listed; `peers` uses it
  std::unique_ptr<Finder> finder;        // null: the same
  std::unique_ptr<Peers> peers;  // null before they were opened and when the node has stopped: others use `ask_peers`
  Inbox inbox;                   // any thread

  std::vector<Input> inputs;       // taken from the inbox
  std::size_t next_input = 0;      // of `inputs`; those before it are done
  std::size_t incoming_bytes = 0;  // of entries that go into the turn under way
  TakenBatches taken;
  ForwardedHere forwarded;
  std::vector<std::uint64_t> unanswered;      // first sequences of forwards that are to be made again
  std::vector<ForwardedBatch> held_forwards;  // until this leader serves
  AwaitedForwards awaited;
  std::deque<PendingChange> changes;
  Digests digests;
  std::set<base::NodeId> full_members;             // their disks, as they said last
  std::optional<SnapshotArrived> arrived;          // until raft takes it
  std::map<base::NodeId, std::uint64_t> heard_ms;  // of a leader: when a message of that peer was taken
  std::vector<std::uint64_t> quorum_times;         // kept for its memory
  std::uint64_t rank = 0;                          // among the voters, since the leader was lost
  int campaigns_left = 0;
  base::NodeId leader;  // as of the last turn
  base::Term term;
  std::uint64_t leaderless_since_ms = 0;  // 0: a leader is known
  std::uint64_t leading_since_ms = 0;     // as of the last change of roles; 0: another leads, or nobody
  std::uint64_t next_beat_ms = 0;
  TimePoll time_poll;  // as long as this node only guesses what time it is

  std::atomic<bool> is_updating_self{false};        // this node's own entry among the members is being changed
  std::atomic<std::uint64_t> update_self_at_ms{0};  // not before

  // What follows `retries` is for status.
  std::string self_refused ABSL_GUARDED_BY(mutex);  // why this node's own entry can't be what it says of itself
  mutable base::Mutex mutex;
  std::vector<ChangeWanted> retries ABSL_GUARDED_BY(mutex);  // with the next tick
  replica::Membership members ABSL_GUARDED_BY(mutex);
  std::map<base::NodeId, Beat::MemberState> seen_states ABSL_GUARDED_BY(mutex);  // as a leader said last,
  base::NodeId seen_leader ABSL_GUARDED_BY(mutex);                               // this one,
  base::Term seen_term ABSL_GUARDED_BY(mutex);                                   // in this term

  // Who drives may use the peers without it: they go when nobody drives any more.
  mutable base::Mutex peers_mutex;

  /// Any thread: calls `ask(Peers&)`, if there are any.
  template <class Ask>
  void ask_peers(const Ask& ask) const {
    const base::MutexLock lock(peers_mutex);
    if (peers) ask(*peers);
  }
  /// They may call while they end.
  void end_peers() {
    std::unique_ptr<Peers> gone;
    {
      const base::MutexLock lock(peers_mutex);
      gone = std::move(peers);
    }
  }
};

}  // namespace concord::node
