// What a leader has proposed for other members in its term: so that a batch that is sent twice is proposed once (taken_batches.hpp).
//
// It needs to live no longer than the term, and to remember only what its sender may still send again.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/ids.hpp"
#include "base/mutant.hpp"
#include "node/peer_messages.hpp"

namespace concord::node {

class ForwardedHere {
 public:
  /// From here on another term counts.
  void begin_term(base::Term term) {
    if (term == term_) return;
    term_ = term;
    proposed_.clear();
  }
  [[nodiscard]] bool contains(base::NodeId from, const ForwardHead& head) const {
    const auto found = proposed_.find({from, head.incarnation});
    if (CONCORD_MUTANT("what-is-forwarded-twice-is-proposed-twice")) return false;
    return found != proposed_.end() && found->second.contains(head.first_sequence);
  }
  void add(base::NodeId from, const ForwardHead& head) {
    std::set<std::uint64_t>& firsts = proposed_[{from, head.incarnation}];
    firsts.erase(firsts.begin(), firsts.lower_bound(head.settled_below));
    firsts.insert(head.first_sequence);
  }

 private:
  base::Term term_;
  std::map<std::pair<base::NodeId, std::uint64_t>, std::set<std::uint64_t>> proposed_;  // first sequences
};

}  // namespace concord::node
