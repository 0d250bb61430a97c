// What time it is, when nobody knows: all who could answer have started anew and go by their wall clocks (replica/cluster_clock.hpp).
//
// A new leader that only guesses asks the others, by hearing their beats: whoever knows better is believed at once, and nothing below
// comes into play. If all guess, or the rest stays silent, the lower median counts: one wall clock that is wrong, ahead or behind,
// moves the time of no cluster of three that hears of all three.
//
// Pure. Thread rule: the driver's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "base/mutant.hpp"

namespace concord::node {

class TimePoll {
 public:
  /// `from` guesses that it is `guess_ms`, while this host's monotonic clock shows `monotonic_ms`.
  void hear(base::NodeId from, base::ClusterTimeMs guess_ms, std::uint64_t monotonic_ms) {
    ahead_ms_[from] = static_cast<std::int64_t>(guess_ms) - static_cast<std::int64_t>(monotonic_ms);
  }

  /// The time, once all `voters` have been heard, or `is_over`; `own_ms` is what this node, one of them, guesses itself.
  [[nodiscard]] std::optional<base::ClusterTimeMs> verdict(std::span<const base::NodeId> voters, base::NodeId self,
                                                           base::ClusterTimeMs own_ms, std::uint64_t monotonic_ms,
                                                           bool is_over) const {
    std::vector<std::int64_t> guesses_ms = {static_cast<std::int64_t>(own_ms)};
    for (const base::NodeId voter : voters) {
      const auto heard = ahead_ms_.find(voter);
      if (voter == self || heard == ahead_ms_.end()) continue;
      guesses_ms.push_back(heard->second + static_cast<std::int64_t>(monotonic_ms));
    }
    if (guesses_ms.size() < voters.size() && !is_over) return std::nullopt;
    if (CONCORD_MUTANT("a-new-leader-believes-its-own-clock")) return own_ms;
    const auto middle = guesses_ms.begin() + static_cast<std::ptrdiff_t>((guesses_ms.size() - 1) / 2);
    std::ranges::nth_element(guesses_ms, middle);
    return static_cast<base::ClusterTimeMs>(std::max<std::int64_t>(*middle, 0));
  }

 private:
  std::map<base::NodeId, std::int64_t> ahead_ms_;  // of this host's monotonic clock
};

}  // namespace concord::node
