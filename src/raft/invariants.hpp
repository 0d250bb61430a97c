// What must hold for one node at every moment, checked in production too: a few comparisons a turn.
//
// A broken invariant throws base::InvariantFailure (CONCORD_CHECK). Feed it everything in the order it happens:
//
//     checker.observe(*batch);  checker.observe(*advance_batch);  checker.observe(node.status());
//
// What it can see from here: term, commit and applied never go back; a vote is not changed within a term; a term has one
// leader; applied <= commit <= last; entries handed out as committed follow each other without a gap and are never changed
// (a second time under the same index is a gap); nothing committed is replaced; terms in the log never fall.
#pragma once

#include "raft/raft_node.hpp"

namespace concord::raft {

class InvariantChecker {
 public:
  /// From what the node was started with.
  explicit InvariantChecker(const Start& start);

  void observe(const ReadyBatch& batch);
  void observe(const AdvanceBatch& batch);
  /// Between turns: after `advance` (and `advance_apply`).
  void observe(const RaftStatus& status);

  /// The last entry seen as committed.
  [[nodiscard]] Index committed() const noexcept { return committed_; }

 private:
  void observe_hard_state(const HardState& next);
  void observe_committed(std::span<const EntryView> entries);
  void observe_appended(std::span<const EntryView> entries);

  HardState hard_state_;
  Index committed_;      // handed out; entries follow from here
  Term committed_term_;  // of `committed_`; 0 when it is not known
  Index applied_;
  Term led_term_;  // the last term whose leader is known, and that leader
  NodeId leader_;
};

}  // namespace concord::raft
