#include "node/digests.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

namespace concord::node {
namespace {

using base::Index;
using base::NodeId;

constexpr std::array one_voter{NodeId(1)};
constexpr std::array two_voters{NodeId(1), NodeId(2)};
constexpr std::array three_voters{NodeId(1), NodeId(2), NodeId(3)};
constexpr NodeId self{1};
constexpr std::uint64_t now_ms = 1'000'000;
constexpr std::uint64_t much_later_ms = now_ms + 5000;

Digests::Members three(NodeId leader) { return {.voters = three_voters, .self = self, .leader = leader}; }

TEST(Digests, WhoAgreesWithTheOthersGoesOn) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 7, now_ms);
  digests.hear(NodeId(3), Index(1000), 8, now_ms);  // that one is wrong, not this
  EXPECT_FALSE(digests.contradiction(three(NodeId(3)), much_later_ms));
}

TEST(Digests, WhoDiffersFromAQuorumMustStop) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 8, now_ms);
  EXPECT_FALSE(digests.contradiction(three(NodeId()), much_later_ms)) << "one against one, and neither leads";
  digests.hear(NodeId(3), Index(1000), 8, now_ms);
  const auto problem = digests.contradiction(three(NodeId()), now_ms);
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("1000"), std::string::npos) << *problem;
}

TEST(Digests, WithoutAQuorumTheLeaderIsBelieved) {
  Digests digests;
  digests.note(Index(2000), 7);
  digests.hear(NodeId(2), Index(2000), 8, now_ms);
  EXPECT_TRUE(digests.contradiction({.voters = two_voters, .self = self, .leader = NodeId(2)}, now_ms));
  EXPECT_FALSE(digests.contradiction({.voters = two_voters, .self = self, .leader = self}, now_ms))
      << "this node leads";
}

TEST(Digests, TheLeaderIsNotBelievedBeforeTheOthersHaveTold) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 8, now_ms);
  EXPECT_FALSE(digests.contradiction(three(NodeId(2)), now_ms)) << "the third may have what this one has";
  digests.hear(NodeId(3), Index(1000), 7, now_ms);
  EXPECT_FALSE(digests.contradiction(three(NodeId(2)), much_later_ms)) << "it has";
}

TEST(Digests, OneThatIsSilentIsNotWaitedForForEver) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 8, now_ms);
  EXPECT_FALSE(digests.contradiction(three(NodeId(2)), much_later_ms - 1));
  EXPECT_TRUE(digests.contradiction(three(NodeId(2)), much_later_ms));
}

TEST(Digests, WhoHasNoVoteIsNotCounted) {
  Digests learner;
  learner.note(Index(1000), 9);
  learner.hear(NodeId(1), Index(1000), 8, now_ms);
  EXPECT_TRUE(learner.contradiction({.voters = one_voter, .self = NodeId(4), .leader = NodeId(1)}, now_ms));
  Digests voter;
  voter.note(Index(1000), 7);
  voter.hear(NodeId(4), Index(1000), 8, now_ms);  // it voted before
  voter.hear(NodeId(5), Index(1000), 8, now_ms);
  EXPECT_FALSE(voter.contradiction(three(self), much_later_ms));
}

TEST(Digests, OnlyTheSameEntryIsCompared) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(2000), 8, now_ms);
  digests.hear(NodeId(3), Index(2000), 8, now_ms);
  EXPECT_FALSE(digests.contradiction(three(NodeId(2)), much_later_ms));
  digests.note(Index(2000), 8);
  EXPECT_FALSE(digests.contradiction(three(NodeId(2)), much_later_ms));
}

TEST(Digests, TheNewestIsToldUntilTheLeaderHasToldOfOneThatIsHereToo) {
  Digests digests;
  EXPECT_FALSE(digests.to_tell(NodeId(2)));
  digests.note(Index(1000), 7);
  digests.note(Index(2000), 8);
  digests.note(Index(3000), 9);
  EXPECT_EQ(digests.to_tell(NodeId(2))->index, Index(3000));
  digests.hear(NodeId(3), Index(1000), 7, now_ms);
  EXPECT_EQ(digests.to_tell(NodeId(2))->index, Index(3000)) << "that one does not lead";
  digests.hear(NodeId(2), Index(2000), 8, now_ms);
  digests.hear(NodeId(2), Index(4000), 10, now_ms);
  EXPECT_EQ(digests.to_tell(NodeId(2))->index, Index(2000)) << "4000 is not applied here yet";
  digests.note(Index(4000), 10);
  EXPECT_EQ(digests.to_tell(NodeId(2))->index, Index(4000));
}

/// Three voters, node 1 leads. Each notes a digest at each moment, and each tells the others at every fifth, at moments of its own.
class Beats : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::uint64_t moments_a_beat = 5;

  /// Who has stopped after `moments`, when the state of `wrong` differs.
  [[nodiscard]] static std::set<NodeId> stopped(NodeId wrong, std::uint64_t phases, std::uint64_t moments = 30) {
    std::map<NodeId, Digests> all;
    std::set<NodeId> stopped;
    for (std::uint64_t moment = 1; moment <= moments; ++moment) {
      for (const NodeId node : three_voters) all[node].note(Index(1000 * moment), node == wrong ? 8 : 7);
      for (const NodeId node : three_voters) {
        const std::uint64_t phase = node == NodeId(1) ? 0 : node == NodeId(2) ? phases % 5 : phases / 5;
        if (moment % moments_a_beat != phase || stopped.contains(node)) continue;
        const auto told = all[node].to_tell(NodeId(1));
        for (const NodeId other : three_voters) {
          if (other == node) continue;
          all[other].hear(node, told->index, told->digest, now_ms + 100 * moment);
          const Digests::Members members{.voters = three_voters, .self = other, .leader = NodeId(1)};
          if (all[other].contradiction(members, now_ms + 100 * moment)) stopped.insert(other);
        }
      }
    }
    return stopped;
  }
};

TEST_P(Beats, TheOneThatDiffersStopsAndNoOther) {
  for (const NodeId wrong : three_voters) {
    EXPECT_EQ(stopped(wrong, GetParam()), std::set{wrong}) << "node " << wrong.value();
  }
}

INSTANTIATE_TEST_SUITE_P(AtAnyMoments, Beats, testing::Range<std::uint64_t>(0, 25));

}  // namespace
}  // namespace concord::node
