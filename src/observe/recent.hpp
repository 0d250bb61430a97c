// Quantiles of the last minutes. Counts only grow; a quantile over all time would never recover from a bad hour, so it is taken
// over what was recorded since a snapshot of some minutes ago.
//
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <utility>

#include "observe/histogram.hpp"

namespace concord::observe {

class Recent {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes span{5};
  static constexpr std::chrono::seconds between{30};

  /// `start`: nothing was recorded before.
  explicit Recent(Time start) { kept_.emplace_back(start, std::make_unique<HistogramSnapshot>()); }

  /// What `all`, a snapshot taken now, has more than the newest of those taken `span` ago; none so old: than the oldest.
  [[nodiscard]] HistogramSnapshot of(const HistogramSnapshot& all, Time now) {
    while (kept_.size() > 1 && kept_[1].first <= now - span) kept_.pop_front();
    const HistogramSnapshot recent = all.since(*kept_.front().second);
    if (kept_.back().first <= now - between) kept_.emplace_back(now, std::make_unique<HistogramSnapshot>(all));
    return recent;
  }

 private:
  std::deque<std::pair<Time, std::unique_ptr<HistogramSnapshot>>> kept_;  // never empty; oldest first, `between` apart
};

}  // namespace concord::observe
