// Cluster time: what the leader stamps into entries, and what expiry counts in.
//
// A pure machine fed with this host's clocks. It follows the monotonic clock, so a step of any wall clock changes nothing
// while a node runs; a stamp is never behind what the log has seen. Only over a stop of the whole cluster does
// the wall clock count: each entry carries `wall_offset` (wall minus cluster time when it was made), so that a start knows how
// long the stop was, and never less than 0 (CONTRACT 2).
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/ids.hpp"
#include "base/mutant.hpp"
#include "command/entry.hpp"

namespace concord::replica {

/// The two clocks of a host, read at one moment, in milliseconds.
struct HostTime {
  std::uint64_t monotonic_ms = 0;  ///< never goes back while the process lives
  std::int64_t wall_ms = 0;        ///< since 1970 UTC; may step
};

class ClusterClock {
 public:
  /// A cluster that never wrote an entry: cluster time begins at the wall clock, only so that numbers mean something.
  void start_fresh(const HostTime& now) noexcept {
    restart({static_cast<base::ClusterTimeMs>(std::max<std::int64_t>(now.wall_ms, 1)), 0}, now);
  }

  /// After a stop: `last` is the stamp of the last entry applied.
  void restart(const command::EntryStamp& last, const HostTime& now) noexcept {
    const std::int64_t by_wall = now.wall_ms - last.wall_offset_ms;
    const auto last_ms = static_cast<std::int64_t>(last.cluster_time_ms);
    latest_ms_ = static_cast<base::ClusterTimeMs>(std::max(by_wall, last_ms));
    latest_at_ms_ = now.monotonic_ms;
    floor_ms_ = last.cluster_time_ms;
    is_guessed_ = true;
  }

  /// Somebody who knows says what time it is: better than what the wall clock told this node when it started. After that it is for
  /// the leader of this node to say: a clock that is fast must not run ahead of the leader's, or keys were gone too early once its node
  /// leads. It is held back little by little, because what a leader says may have been under way for long.
  void follow(base::ClusterTimeMs leader_ms, const HostTime& now) noexcept {
    const base::ClusterTimeMs mine_ms = at(now);
    const std::uint64_t since_ms = now.monotonic_ms - std::min(now.monotonic_ms, followed_at_ms_);
    const base::ClusterTimeMs ahead_ms = mine_ms - std::min(mine_ms, leader_ms);
    const base::ClusterTimeMs held_back_ms = is_guessed_ ? ahead_ms : std::min(ahead_ms, since_ms / most_held_back);
    latest_ms_ = std::max({floor_ms_, leader_ms, mine_ms - held_back_ms});
    latest_at_ms_ = std::max(latest_at_ms_, now.monotonic_ms);
    followed_at_ms_ = now.monotonic_ms;
    is_guessed_ = false;
  }

  /// It is decided, among all who only guessed.
  void settle(base::ClusterTimeMs decided_ms, const HostTime& now) noexcept {
    latest_ms_ = std::max(floor_ms_, decided_ms);
    latest_at_ms_ = now.monotonic_ms;
    followed_at_ms_ = now.monotonic_ms;
    is_guessed_ = false;
  }

  /// Since a start nothing but the wall clock has said what time it is.
  [[nodiscard]] bool is_guessed() const noexcept { return is_guessed_; }

  /// An entry another leader stamped was applied.
  void observe(base::ClusterTimeMs stamped_ms, const HostTime& now) noexcept {
    if (CONCORD_MUTANT("each-leader-has-a-time-of-its-own")) return;
    floor_ms_ = std::max(floor_ms_, stamped_ms);
    const base::ClusterTimeMs mine_ms = at(now);
    latest_ms_ = std::max(mine_ms, stamped_ms);
    latest_at_ms_ = std::max(latest_at_ms_, now.monotonic_ms);
  }

  [[nodiscard]] base::ClusterTimeMs at(const HostTime& now) const noexcept {
    return latest_ms_ + (now.monotonic_ms > latest_at_ms_ ? now.monotonic_ms - latest_at_ms_ : 0);
  }

  [[nodiscard]] command::EntryStamp stamp(const HostTime& now) const noexcept {
    const base::ClusterTimeMs cluster_ms = at(now);
    return {cluster_ms, now.wall_ms - static_cast<std::int64_t>(cluster_ms)};
  }

 private:
  static constexpr std::uint64_t most_held_back =
      100;  // a hundredth of the time that has passed: more than any clock is fast

  base::ClusterTimeMs latest_ms_ = 0;  // Invariant: goes back only where `follow` says so, and never behind the floor
  std::uint64_t latest_at_ms_ = 0;     // monotonic time at which it was `latest_ms_`
  std::uint64_t followed_at_ms_ = 0;   // monotonic time
  base::ClusterTimeMs floor_ms_ = 0;   // newest stamp known to be in the log
  bool is_guessed_ = false;            // by the wall clock, at a start
};

}  // namespace concord::replica
