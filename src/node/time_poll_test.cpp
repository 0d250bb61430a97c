#include "node/time_poll.hpp"

#include <array>

#include <gtest/gtest.h>

namespace concord::node {
namespace {

using base::NodeId;

constexpr NodeId self(1);
constexpr std::array three = {NodeId(1), NodeId(2), NodeId(3)};
constexpr bool goes_on = false;
constexpr bool is_over = true;

TEST(TimePoll, WaitsForAllVotersUnlessTimeIsUp) {
  TimePoll poll;
  poll.hear(NodeId(2), 5000, 100);
  EXPECT_EQ(poll.verdict(three, self, 5000, 100, goes_on), std::nullopt);
  poll.hear(NodeId(9), 5000, 100);  // has no vote
  EXPECT_EQ(poll.verdict(three, self, 5000, 100, goes_on), std::nullopt);
  EXPECT_EQ(poll.verdict(three, self, 5000, 100, is_over), 5000U);
  poll.hear(NodeId(3), 5000, 100);
  EXPECT_EQ(poll.verdict(three, self, 5000, 100, goes_on), 5000U);
}

TEST(TimePoll, OneWallClockThatIsWrongMovesNothing) {
  constexpr base::ClusterTimeMs hour_ms = 3'600'000;
  for (const base::ClusterTimeMs wrong_ms : {hour_ms - hour_ms, hour_ms + hour_ms}) {
    TimePoll others;
    others.hear(NodeId(2), hour_ms, 100);
    others.hear(NodeId(3), hour_ms, 100);
    EXPECT_EQ(others.verdict(three, self, wrong_ms, 100, goes_on), hour_ms);
    TimePoll another;
    another.hear(NodeId(2), wrong_ms, 100);
    another.hear(NodeId(3), hour_ms, 100);
    EXPECT_EQ(another.verdict(three, self, hour_ms, 100, goes_on), hour_ms);
  }
}

TEST(TimePoll, OfTwoTheEarlierTimeCountsAndNoKeyIsGoneTooSoon) {
  TimePoll poll;
  poll.hear(NodeId(2), 9000, 100);
  EXPECT_EQ(poll.verdict(three, self, 5000, 100, is_over), 5000U);
  EXPECT_EQ(poll.verdict(three, self, 12'000, 100, is_over), 9000U);
}

TEST(TimePoll, AGuessGetsOlderAsTimePasses) {
  TimePoll poll;
  poll.hear(NodeId(2), 5000, 100);
  poll.hear(NodeId(3), 5000, 200);
  EXPECT_EQ(poll.verdict(three, self, 9000, 600, goes_on), 5500U);
}

TEST(TimePoll, WhoVotesAloneAsksNobody) {
  EXPECT_EQ(TimePoll().verdict(std::array{self}, self, 5000, 100, goes_on), 5000U);
}

}  // namespace
}  // namespace concord::node
