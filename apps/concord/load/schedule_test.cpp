#include "load/schedule.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "load/histogram.hpp"

namespace concord::app::load {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using TimePoint = Schedule::TimePoint;

const TimePoint start = TimePoint() + seconds(1000);

std::vector<TimePoint> all_of(Schedule schedule) {
  std::vector<TimePoint> dues;
  while (const auto due = schedule.take(TimePoint::max())) dues.push_back(*due);
  return dues;
}

TEST(Schedule, IsEvenAndEndsBeforeTheEnd) {
  const auto dues = all_of({4, {}, start, start + seconds(1)});
  EXPECT_EQ(dues,
            (std::vector{start, start + milliseconds(250), start + milliseconds(500), start + milliseconds(750)}));
}

TEST(Schedule, NothingIsTakenBeforeItIsDue) {
  Schedule schedule(10, {}, start, start + seconds(1));
  EXPECT_EQ(schedule.take(start - nanoseconds(1)), std::nullopt);
  EXPECT_EQ(schedule.take(start), start);
  EXPECT_EQ(schedule.take(start), std::nullopt);
  EXPECT_EQ(schedule.next_due(), start + milliseconds(100));
}

TEST(Schedule, WhatWasMissedIsTakenLateAndNothingIsLeftOut) {
  Schedule schedule(1000, {}, start, start + seconds(1));
  int count = 0;
  while (const auto due = schedule.take(start + milliseconds(500))) {
    EXPECT_EQ(*due, start + milliseconds(count));
    ++count;
  }
  EXPECT_EQ(count, 501);
}

TEST(Schedule, RoundingDoesNotAddUp) {
  const auto dues = all_of({3, {}, start, start + seconds(3600)});
  EXPECT_EQ(dues.size(), 3U * 3600);
  EXPECT_EQ(dues[3 * 1800], start + seconds(1800));
}

TEST(Schedule, SharesTogetherAreTheWholeRate) {
  std::vector<TimePoint> together;
  for (const Schedule::Share share : {Schedule::Share{0, 1, 4}, {1, 1, 4}, {2, 1, 4}, {3, 1, 4}}) {
    const auto dues = all_of({100, share, start, start + seconds(1)});
    EXPECT_EQ(dues.size(), 25U);
    together.insert(together.end(), dues.begin(), dues.end());
  }
  std::ranges::sort(together);
  EXPECT_EQ(together, all_of({100, {}, start, start + seconds(1)}));
}

TEST(Schedule, UnequalSharesHaveRatesInProportion) {
  EXPECT_EQ(all_of({300, {0, 2, 3}, start, start + seconds(1)}).size(), 200U);
  EXPECT_EQ(all_of({300, {2, 1, 3}, start, start + seconds(1)}).size(), 100U);
}

/// One connection to a server that answers in 100 us, but stands still for one second of ten.
struct StalledServer {
  static constexpr microseconds answer_time{100};
  TimePoint stall_begin = start + seconds(5);
  TimePoint stall_end = start + seconds(6);

  [[nodiscard]] TimePoint answered(TimePoint begun) const {
    const TimePoint done = begun + answer_time;
    return done > stall_begin && begun < stall_end ? std::max(begun, stall_end) + answer_time : done;
  }
};

TEST(Schedule, AStallIsInTheLatenciesOfAllThatWasDueMeanwhile) {
  const StalledServer server;
  Schedule schedule(1000, {}, start, start + seconds(10));
  Histogram from_due;
  Histogram from_begin;
  TimePoint free_at = start;
  while (const auto due = schedule.take(TimePoint::max())) {
    const TimePoint begun = std::max(*due, free_at);
    free_at = server.answered(begun);
    from_due.record(static_cast<std::uint64_t>(nanoseconds(free_at - *due).count()));
    from_begin.record(static_cast<std::uint64_t>(nanoseconds(free_at - begun).count()));
  }
  constexpr std::uint64_t half_a_second_ns = 500'000'000;
  EXPECT_EQ(from_due.count(), 10'000U);
  EXPECT_GT(from_due.percentile_ns(95.5), half_a_second_ns);
  EXPECT_GT(from_due.max_ns(), 2 * half_a_second_ns - 1'000'000);
  // What a closed load would have seen of it: one slow request.
  EXPECT_EQ(from_begin.percentile_ns(99.9) / 1000, 100U);
}

}  // namespace
}  // namespace concord::app::load
