// Batches of writes that left the queue in a cluster: sent to the leader, or proposed here, and not yet settled.
//
// How a write is passed on at most once and never lost without a word (raft paper 8, without a table of clients):
//   - a batch is sent in a term: proposed here by the leader of that term, or forwarded to it; the leader proposes a forwarded batch
//     only while it still leads in that term, and only once in it;
//   - so all a term made of it stands before the first entry of any later term. Once such an entry is applied here, what is not
//     settled was lost for certain, and is sent again. Until then it is not: it may still turn up;
//   - within its term a batch may be sent again when a connection broke, because the leader knows what it has proposed.
// A batch whose writers have all stopped waiting is not sent again: a write must not come to pass long after its deadline.
//
// Thread rule: the driver's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/ids.hpp"
#include "base/mutant.hpp"
#include "node/write_queue.hpp"

namespace concord::node {

class TakenBatches {
 public:
  struct Taken {
    Batch batch;
    base::Term term = {};      ///< in which it was sent; 0: it is to be sent
    int sends = 0;             ///< in this term, to its leader
    bool must_repeat = false;  ///< whether it arrived is unknown: to be sent again in this term
  };

  void add(Batch&& batch) { taken_.push_back({.batch = std::move(batch)}); }
  [[nodiscard]] std::deque<Taken>& all() noexcept { return taken_; }
  [[nodiscard]] bool is_empty() const noexcept { return taken_.empty(); }

  [[nodiscard]] Taken* find(std::uint64_t first_sequence) noexcept {
    const auto found = std::ranges::find_if(
        taken_, [&](const Taken& taken) { return taken.batch.first_sequence() == first_sequence; });
    return found == taken_.end() ? nullptr : &*found;
  }

  /// An entry of `term` is applied: what was sent in an earlier one and isn't settled was lost.
  void observe(base::Term term) noexcept {
    if (term == observed_) return;
    observed_ = term;
    for (Taken& taken : taken_) {
      if (taken.term.is_zero() || (taken.term >= term && !CONCORD_MUTANT("what-may-still-turn-up-is-sent-again")))
        continue;
      taken.term = base::Term();
      taken.sends = 0;
      taken.must_repeat = false;
    }
  }

  /// Gives back what is settled: answered, one way or the other. It must not be sent again.
  void drop_settled(WriteQueue& queue) {
    for (auto at = taken_.begin(); at != taken_.end();) {
      if (!queue.is_settled(at->batch.first_sequence())) {
        ++at;
        continue;
      }
      queue.give_back(std::move(at->batch));
      at = taken_.erase(at);
    }
  }

 private:
  std::deque<Taken> taken_;  // in the order of their sequences
  base::Term observed_;
};

}  // namespace concord::node
