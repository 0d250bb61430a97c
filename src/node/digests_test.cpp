#include "node/digests.hpp"

#include <gtest/gtest.h>

namespace concord::node {
namespace {

using base::Index;
using base::NodeId;

TEST(Digests, WhoAgreesWithTheOthersGoesOn) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 7);
  digests.hear(NodeId(3), Index(1000), 8);  // that one is wrong, not this
  EXPECT_FALSE(digests.contradiction(3, NodeId(3)));
}

TEST(Digests, WhoDiffersFromAQuorumMustStop) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(1000), 8);
  EXPECT_FALSE(digests.contradiction(3, NodeId())) << "one against one, and neither leads";
  digests.hear(NodeId(3), Index(1000), 8);
  const auto problem = digests.contradiction(3, NodeId());
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("1000"), std::string::npos) << *problem;
}

TEST(Digests, WithoutAQuorumTheLeaderIsBelieved) {
  Digests digests;
  digests.note(Index(2000), 7);
  digests.hear(NodeId(2), Index(2000), 8);
  EXPECT_TRUE(digests.contradiction(2, NodeId(2)));
  EXPECT_FALSE(digests.contradiction(2, NodeId(1))) << "this node leads";
}

TEST(Digests, OnlyTheSameEntryIsCompared) {
  Digests digests;
  digests.note(Index(1000), 7);
  digests.hear(NodeId(2), Index(2000), 8);
  digests.hear(NodeId(3), Index(2000), 8);
  EXPECT_FALSE(digests.contradiction(3, NodeId(2)));
  digests.note(Index(2000), 8);
  EXPECT_FALSE(digests.contradiction(3, NodeId(2)));
  EXPECT_EQ(digests.newest()->index, Index(2000));
}

}  // namespace
}  // namespace concord::node
