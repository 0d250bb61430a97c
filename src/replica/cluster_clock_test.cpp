#include "replica/cluster_clock.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::replica {
namespace {

TEST(ClusterClock, FollowsTheMonotonicClockWhateverTheWallClockDoes) {
  ClusterClock clock;
  clock.start_fresh({.monotonic_ms = 1000, .wall_ms = 50'000});
  EXPECT_EQ(clock.at({.monotonic_ms = 1500, .wall_ms = 0}), 50'500U);
  EXPECT_EQ(clock.at({.monotonic_ms = 2000, .wall_ms = 9'000'000}), 51'000U);
}

TEST(ClusterClock, CountsAStopByTheWallClock) {
  ClusterClock before;
  before.start_fresh({.monotonic_ms = 0, .wall_ms = 10'000});
  const auto last = before.stamp({.monotonic_ms = 5000, .wall_ms = 15'000});
  ClusterClock after;
  after.restart(last, {.monotonic_ms = 7, .wall_ms = 75'000});
  EXPECT_EQ(after.at({.monotonic_ms = 7, .wall_ms = 0}), last.cluster_time_ms + 60'000);
}

TEST(ClusterClock, AStopIsNeverShorterThanNothing) {
  ClusterClock before;
  before.start_fresh({.monotonic_ms = 0, .wall_ms = 10'000});
  const auto last = before.stamp({.monotonic_ms = 5000, .wall_ms = 15'000});
  ClusterClock after;
  after.restart(last, {.monotonic_ms = 7, .wall_ms = 1});
  EXPECT_EQ(after.at({.monotonic_ms = 7, .wall_ms = 1}), last.cluster_time_ms);
}

TEST(ClusterClock, AMemberThatNeverStoppedKnowsBetterThanTheWallClock) {
  ClusterClock clock;
  clock.restart({.cluster_time_ms = 20'000, .wall_offset_ms = 0}, {.monotonic_ms = 0, .wall_ms = 9'000'000});
  EXPECT_TRUE(clock.is_guessed());
  EXPECT_EQ(clock.at({.monotonic_ms = 0, .wall_ms = 0}), 9'000'000U);
  clock.follow(21'000, {.monotonic_ms = 10, .wall_ms = 9'000'010});
  EXPECT_FALSE(clock.is_guessed());
  EXPECT_EQ(clock.at({.monotonic_ms = 10, .wall_ms = 0}), 21'000U);
  // From here on time goes on, whatever was under way for how long.
  clock.follow(20'500, {.monotonic_ms = 110, .wall_ms = 0});
  EXPECT_EQ(clock.at({.monotonic_ms = 110, .wall_ms = 0}), 21'099U);
}

TEST(ClusterClock, OneThatIsFastDoesNotRunAheadOfItsLeaders) {
  ClusterClock leader;
  ClusterClock follower;
  leader.start_fresh({.monotonic_ms = 0, .wall_ms = 10'000});
  follower.start_fresh({.monotonic_ms = 0, .wall_ms = 10'000});
  constexpr std::uint64_t day_ms = 24U * 3600U * 1000U;
  constexpr std::uint64_t beat_ms = 500;
  const auto fast = [](std::uint64_t now_ms) { return HostTime{.monotonic_ms = now_ms + now_ms / 2000, .wall_ms = 0}; };
  for (std::uint64_t now_ms = 0; now_ms <= day_ms; now_ms += beat_ms) {
    const base::ClusterTimeMs leaders_ms = leader.at({.monotonic_ms = now_ms, .wall_ms = 0});
    ASSERT_LE(follower.at(fast(now_ms)), leaders_ms + 1) << "after " << now_ms << " ms";
    follower.follow(leaders_ms, fast(now_ms));
  }
}

TEST(ClusterClock, WhatTheLogHasSeenIsNeverTakenBack) {
  ClusterClock clock;
  clock.restart({.cluster_time_ms = 20'000, .wall_offset_ms = 0}, {.monotonic_ms = 0, .wall_ms = 9'000'000});
  clock.observe(30'000, {.monotonic_ms = 5, .wall_ms = 0});
  clock.follow(25'000, {.monotonic_ms = 5, .wall_ms = 0});
  EXPECT_EQ(clock.at({.monotonic_ms = 5, .wall_ms = 0}), 30'000U);
}

TEST(ClusterClock, NeverGoesBackUnderAnyInputs) {
  const std::uint64_t seed = 20261;
  base::Random random(seed);
  ClusterClock clock;
  HostTime now{.monotonic_ms = 1, .wall_ms = 1'000'000};
  clock.start_fresh(now);
  base::ClusterTimeMs highest = 0;
  for (int step = 0; step < 10'000; ++step) {
    now.monotonic_ms += random.below(50);
    now.wall_ms += static_cast<std::int64_t>(random.below(100'000)) - 50'000;
    if (random.one_in(3)) clock.observe(highest + random.below(2000) - std::min<std::uint64_t>(highest, 1000), now);
    const base::ClusterTimeMs seen = clock.at(now);
    ASSERT_GE(seen, highest) << "seed " << seed << " step " << step;
    highest = seen;
  }
}

}  // namespace
}  // namespace concord::replica
