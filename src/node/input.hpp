// What comes to a replica from outside its driver: peers, transfers, wishes. Put in by any thread, taken by the driver.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "log/snapshot_file.hpp"
#include "node/membership_change.hpp"
#include "node/peer_messages.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

/// Of raft, from the authenticated peer.
struct RaftMessage {
  base::NodeId from;
  std::string bytes;
};

/// A snapshot that is durable under its name, read and checked, and the message of raft that goes with it.
struct SnapshotArrived {
  base::NodeId from;
  log::SnapshotFileInfo file;
  std::unique_ptr<store::LoadedState> state;
  std::string message;
  /// Called once raft has been asked: the sender is answered, and the next one may come.
  std::move_only_function<void(Result<void>)> taken = [](const Result<void>&) {};
};

/// How the sending of a snapshot ended.
struct SnapshotSent {
  base::NodeId to;
  bool delivered = false;
};

/// A connection to or from a peer ended because its other end has gone.
struct PeerLost {
  base::NodeId peer;
};

/// This node has a connection to a peer.
struct PeerConnected {
  base::NodeId peer;
  bool was_restarted = false;  ///< it is in another incarnation than when it was connected last
};

/// A follower's batch, to be proposed here.
struct ForwardedBatch {
  base::NodeId from;
  ForwardHead head;
  std::string commands;
  std::move_only_function<void(Result<std::string>)>
      done;  ///< with outcomes when it asks for them (awaited_forwards.hpp)
};

/// What became of a batch that was forwarded from here.
struct ForwardAnswered {
  base::Term term;
  std::uint64_t first_sequence = 0;
  Result<std::string> result;
};

/// A change of members, to be made by the leader.
struct ChangeWanted {
  MembershipChange change;
  std::uint64_t deadline_ms = 0;
  std::move_only_function<void(Result<replica::Member>)> done;
  bool may_be_done = false;  ///< a removal of a member that was there, and whose answer was lost on the way
  /// Another member asks, which took this node for the leader and asks again by itself: if it does not lead, it says so.
  bool is_of_member = false;
  std::optional<replica::Member> made = {};  ///< the leader has made it: this node is to know it before it says so
};

struct BeatHeard {
  base::NodeId from;
  Beat beat;
};

using Input = std::variant<RaftMessage, SnapshotArrived, SnapshotSent, PeerLost, PeerConnected, ForwardedBatch,
                           ForwardAnswered, ChangeWanted, BeatHeard>;

class Inbox {
 public:
  void put(Input input) {
    const base::MutexLock lock(mutex_);
    inputs_.push_back(std::move(input));
    count_.store(inputs_.size(), std::memory_order_seq_cst);
  }
  [[nodiscard]] bool is_empty() const noexcept { return count_.load(std::memory_order_seq_cst) == 0; }
  /// All of it, in order; `into` is cleared first and keeps its memory.
  [[nodiscard]] bool take(std::vector<Input>& into) {
    into.clear();
    if (is_empty()) return false;
    const base::MutexLock lock(mutex_);
    into.swap(inputs_);
    count_.store(0, std::memory_order_seq_cst);
    return !into.empty();
  }

 private:
  base::Mutex mutex_;
  std::vector<Input> inputs_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_{0};
};

}  // namespace concord::node
