#include "raft/invariants.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace concord::raft {

InvariantChecker::InvariantChecker(const Start& start)
    : hard_state_(start.hard_state),
      committed_(start.applied),
      committed_term_(start.applied == start.compacted_index ? start.compacted_term : Term()),
      applied_(start.applied) {}

void InvariantChecker::observe(const ReadyBatch& batch) {
  if (batch.snapshot) {
    CONCORD_CHECK(batch.snapshot->index >= committed_, "a snapshot takes back what was committed");
    CONCORD_CHECK(batch.snapshot->term >= committed_term_, "a snapshot's term falls");
    CONCORD_CHECK(batch.committed.empty(), "entries and a snapshot are committed in one batch");
    committed_ = batch.snapshot->index;
    committed_term_ = batch.snapshot->term;
  }
  observe_appended(batch.entries);
  if (batch.hard_state) observe_hard_state(*batch.hard_state);
  CONCORD_CHECK(batch.messages.empty() || batch.persisted_messages.empty(), "messages of two roles in one batch");
  observe_committed(batch.committed);
}

void InvariantChecker::observe(const AdvanceBatch& batch) {
  if (batch.commit) {
    CONCORD_CHECK(*batch.commit >= hard_state_.commit, "commit goes back");
    hard_state_.commit = *batch.commit;
  }
  observe_committed(batch.committed);
}

void InvariantChecker::observe(const RaftStatus& status) {
  observe_hard_state({status.term, status.vote, status.commit});
  CONCORD_CHECK(status.applied >= applied_, "applied goes back");
  CONCORD_CHECK(status.applied <= status.commit, "applied runs ahead of the commit index");
  CONCORD_CHECK(status.applied <= committed_, "applied runs ahead of what was handed out");
  CONCORD_CHECK(status.commit <= status.last, "commit runs ahead of the log");
  CONCORD_CHECK(status.first <= status.last.next(), "the log ends before it begins");
  CONCORD_CHECK(status.first <= status.applied.next() || status.applied < committed_,
                "an unapplied entry is compacted");
  applied_ = status.applied;
  if (status.leader.is_zero()) return;
  CONCORD_CHECK(status.term != led_term_ || status.leader == leader_, "a term has two leaders");
  led_term_ = status.term;
  leader_ = status.leader;
}

void InvariantChecker::observe_hard_state(const HardState& next) {
  CONCORD_CHECK(next.term >= hard_state_.term, "term goes back");
  CONCORD_CHECK(next.commit >= hard_state_.commit, "commit goes back");
  const bool kept = hard_state_.vote.is_zero() || next.vote == hard_state_.vote;
  CONCORD_CHECK(next.term > hard_state_.term || kept, "a vote is changed within its term");
  hard_state_ = next;
}

void InvariantChecker::observe_appended(std::span<const EntryView> entries) {
  if (entries.empty()) return;
  CONCORD_CHECK(entries.front().index > std::max(committed_, hard_state_.commit), "a committed entry is replaced");
  for (std::size_t i = 1; i < entries.size(); ++i) {
    CONCORD_CHECK(entries[i].index == entries[i - 1].index.next(), "appended entries leave a gap");
    CONCORD_CHECK(entries[i].term >= entries[i - 1].term, "terms fall in the log");
  }
}

void InvariantChecker::observe_committed(std::span<const EntryView> entries) {
  for (const EntryView& entry : entries) {
    CONCORD_CHECK(entry.index == committed_.next(), "committed entries leave a gap, or come twice");
    CONCORD_CHECK(entry.term >= committed_term_, "terms fall in the log");
    committed_ = entry.index;
    committed_term_ = entry.term;
  }
}

}  // namespace concord::raft
